-- ARGV[3]: how many are swept and admitted at most. ARGV[4], ARGV[5], ARGV[6]: the ticket's epoch, number and user.
-- Where it stands, claimed if it is admitted.
local most, seq = tonumber(ARGV[3]), tonumber(ARGV[5])

return on_lane(function()
  sweep(most)
  admit(most)
  local is, _, claimed = standing(ARGV[4], seq, ARGV[6])
  if is == 'admitted' and claimed == 0 then
    call('HSET', base .. 'inside', seq, '1' .. ARGV[6])
    call('ZADD', base .. 'deadlines', now + lane.session_ttl, seq)
    changed = true
  end
  return { place(ARGV[4], seq, ARGV[6]) }
end)
