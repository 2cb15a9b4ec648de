-- ARGV[3]: how many are swept and admitted at most. ARGV[4]: the settings as text, for those who ask. ARGV[5] to
-- ARGV[11]: their revision, capacity, max_waiting, interval_ns, claim_ttl, session_ttl, and why the lane is shut ('' if
-- it is not). ARGV[12]: what ends every ticket now, 0 if nothing does. ARGV[13]: the epoch of a lane that is made.
local most = tonumber(ARGV[3])

local function tell()
  lane.revision, lane.capacity, lane.max_waiting = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
  lane.interval_ns, lane.claim_ttl, lane.session_ttl = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
  lane.shut = ARGV[11]
  call('HSET', KEYS[1], 'settings', ARGV[4])
end

local function drain(reason)
  drop_people()
  if lane.drained < lane.next then
    call('ZADD', base .. 'drains', lane.next, string.format('%d:%d', lane.next, reason))
    lane.drained = lane.next
  end
  lane.head, lane.gone, lane.users, lane.admitted = lane.next, 0, 0, 0
end

if load_lane() ~= 'ok' then
  lane = {
    epoch = ARGV[13], step = 0, next = 1, head = 1, gone = 0, users = 0, drained = 1, due = 0, due_ns = 0,
    in_window = 0,
  }
  tell()
  save_lane()
  return { 'configured', lane.epoch, lane.step, now }
end

return on_lane(function()
  sweep(most)
  admit(most)
  if tonumber(ARGV[5]) > lane.revision then
    tell()
    if ARGV[12] ~= '0' then
      drain(tonumber(ARGV[12]))
    end
    changed = true
  end
  admit(most)
  return { 'configured' }
end)
