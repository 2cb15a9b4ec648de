-- ARGV[3]: how many are swept and admitted at most. ARGV[4]: the user.
-- 'lane_closed', 'sold_out', 'lane_full', or 'entered' with the number, whether it was there already, and its place.
local most, user = tonumber(ARGV[3]), ARGV[4]

return on_lane(function()
  sweep(most)
  admit(most)
  if lane.shut == 'closed' then
    return { 'lane_closed' }
  elseif lane.shut == 'sold_out' then
    return { 'sold_out' }
  end
  local seq, replayed = live(user), 1
  if seq then
    -- Its time may be over while the sweep, which is bounded, has not come to it.
    local over = tonumber(call('ZSCORE', base .. 'deadlines', seq))
    if over and now >= over then
      end_admissions({ seq }, nil)
      seq = nil
    end
  end
  if not seq then
    local goes_in_at_once = waiting() == 0 and admissible(1) > 0
    if lane.max_waiting and waiting() >= lane.max_waiting and not goes_in_at_once then
      return { 'lane_full' }
    end
    seq, replayed = lane.next, 0
    lane.next, lane.users, changed = seq + 1, lane.users + 1, true
    call('RPUSH', base .. 'line', user)
    call('HSET', bucket(user), user, seq)
    admit(most)
  end
  return { 'entered', seq, replayed, place(lane.epoch, seq, user) }
end)
