-- One lane, as every script of this folder sees it. Rules stand here a second time (the first is booking_core::queue);
-- the suites compare the two step by step. `now`, in microseconds, is set by the line before this one.
--
-- KEYS[1]            a hash: the lane itself
--   :EPOCH:line      a list: the users of the numbers from `head` on
--   :EPOCH:u:N       hashes: the live number of each user, in BUCKETS small ones, which take a third of one big one
--   :EPOCH:inside    a hash: number -> '0', or '1' once claimed, and the user
--   :EPOCH:deadlines a sorted set: number -> when its admission is over
--   :EPOCH:gone:N    bits: which numbers left while waiting; those behind the head are dropped a chunk at a time
--   :EPOCH:counts    a hash: how many bits are set in each chunk
--   :EPOCH:departed  a list: the same numbers in the order they left
--   :EPOCH:ends:N    four bits a number: why it ended
--   :EPOCH:drains    a sorted set: at each number, the reason that ended all before it which had none yet
-- All of them share the hash tag of KEYS[1], so they are in one slot of a cluster.
--
-- ARGV[1], ARGV[2]: the newest epoch and step of this lane that the caller has seen. A lane that is behind them was
-- restored from an old copy, and is dropped: its numbers would be given twice.
local CHUNK, BUCKETS, WINDOW, CATCH_UP_NS = 65536, 16384, 15000000, 250000000
local SESSION_EXPIRED, NO_SHOW = 3, 4
local FIELDS = {
  'step', 'next', 'head', 'gone', 'users', 'drained', 'revision', 'capacity', 'max_waiting', 'interval_ns',
  'claim_ttl', 'session_ttl', 'due', 'due_ns', 'window', 'in_window', 'in_last_window', 'epoch', 'shut',
}
local call = redis.call
local lane, base, changed = {}, nil, false

local function chunk(seq)
  return math.floor(seq / CHUNK)
end

local function bucket(user)
  local high, low = string.byte(user, 15, 16)
  return base .. 'u:' .. (high * 256 + low) % BUCKETS
end

local function drop(names)
  for from = 1, #names, 1000 do
    call('UNLINK', unpack(names, from, math.min(from + 999, #names)))
  end
end

-- Who has a number has none any more: a bounded number of keys, however many wait.
local function drop_people()
  local names = { base .. 'line', base .. 'inside', base .. 'deadlines', base .. 'counts' }
  for number = 0, BUCKETS - 1 do
    names[#names + 1] = base .. 'u:' .. number
  end
  for number = chunk(lane.head), chunk(lane.next) do
    names[#names + 1] = base .. 'gone:' .. number
  end
  drop(names)
end

local function drop_lane()
  drop_people()
  local names = { KEYS[1], base .. 'departed', base .. 'drains' }
  for number = 0, chunk(lane.next) do
    names[#names + 1] = base .. 'ends:' .. number
  end
  drop(names)
end

-- 'ok', or 'unknown_lane', or 'lost' once when the lane is older than what the caller has seen.
local function load_lane()
  local values = call('HMGET', KEYS[1], unpack(FIELDS))
  if not values[#FIELDS] then
    return 'unknown_lane'
  end
  for at, field in ipairs(FIELDS) do
    lane[field] = tonumber(values[at])
  end
  lane.epoch, lane.shut = values[#FIELDS - 1], values[#FIELDS]
  base = KEYS[1] .. ':' .. lane.epoch .. ':'
  if lane.epoch < ARGV[1] or (lane.epoch == ARGV[1] and lane.step < tonumber(ARGV[2])) then
    drop_lane()
    return 'lost'
  end
  lane.admitted = call('ZCARD', base .. 'deadlines')
  return 'ok'
end

local function save_lane()
  lane.step = lane.step + 1
  local pairs_of = {}
  for at = 1, #FIELDS do
    pairs_of[2 * at - 1], pairs_of[2 * at] = FIELDS[at], lane[FIELDS[at]] or ''
  end
  call('HSET', KEYS[1], unpack(pairs_of))
end

local function waiting()
  return lane.next - lane.head - lane.gone
end

-- How many numbers from the head to below `seq` left while waiting.
local function gone_before(seq)
  if lane.gone == 0 or seq <= lane.head then
    return 0
  end
  local from, to = chunk(lane.head), chunk(seq)
  local gone = base .. 'gone:'
  if from == to then
    return call('BITCOUNT', gone .. from, lane.head % CHUNK, seq % CHUNK - 1, 'BIT')
  end
  local count = call('BITCOUNT', gone .. from, lane.head % CHUNK, -1, 'BIT')
  if seq % CHUNK > 0 then
    count = count + call('BITCOUNT', gone .. to, 0, seq % CHUNK - 1, 'BIT')
  end
  for first = from + 1, to - 1, 1000 do
    local chunks = {}
    for number = first, math.min(first + 999, to - 1) do
      chunks[#chunks + 1] = number
    end
    for _, of_chunk in ipairs(call('HMGET', base .. 'counts', unpack(chunks))) do
      count = count + (tonumber(of_chunk) or 0)
    end
  end
  return count
end

local function rank(seq)
  return seq - lane.head - gone_before(seq) + 1
end

local function move_head(to)
  for number = chunk(lane.head), chunk(to) - 1 do
    call('UNLINK', base .. 'gone:' .. number)
    call('HDEL', base .. 'counts', number)
  end
  lane.head = to
end

-- Keeps the head on a number that waits: passes all departed ones, a chunk of bits at a time.
local function skip_gone()
  while lane.gone > 0 do
    local bits, at = base .. 'gone:' .. chunk(lane.head), lane.head % CHUNK
    if call('GETBIT', bits, at) == 0 then
      return
    end
    local first = call('BITPOS', bits, 0, at, CHUNK - 1, 'BIT')
    if first == -1 then
      first = call('STRLEN', bits) * 8
    end
    local passed = first - at
    call('LTRIM', base .. 'line', passed, -1)
    lane.gone = lane.gone - passed
    move_head(lane.head + passed)
  end
end

local function live(user)
  return tonumber(call('HGET', bucket(user), user))
end

local function set_end(seq, reason)
  call('BITFIELD', base .. 'ends:' .. chunk(seq), 'SET', 'u4', '#' .. seq % CHUNK, reason)
end

local function end_of(seq)
  local reason = call('BITFIELD_RO', base .. 'ends:' .. chunk(seq), 'GET', 'u4', '#' .. seq % CHUNK)[1]
  if reason == 0 and seq < lane.drained then
    local drained = call('ZRANGEBYSCORE', base .. 'drains', '(' .. string.format('%d', seq), '+inf', 'LIMIT', 0, 1)
    reason = tonumber(string.match(drained[1], '(%d+)$'))
  end
  return reason
end

-- The user's number is over.
local function forget(user, seq, reason)
  set_end(seq, reason)
  call('HDEL', bucket(user), user)
  lane.users = lane.users - 1
  changed = true
end

local function end_admissions(numbers, reason)
  local people = call('HMGET', base .. 'inside', unpack(numbers))
  for at, seq in ipairs(numbers) do
    local claimed = string.byte(people[at]) == 49
    forget(string.sub(people[at], 2), tonumber(seq), reason or (claimed and SESSION_EXPIRED or NO_SHOW))
  end
  call('ZREM', base .. 'deadlines', unpack(numbers))
  call('HDEL', base .. 'inside', unpack(numbers))
  lane.admitted = lane.admitted - #numbers
end

-- Ends admissions whose time is over, `most` at most; how many.
local function sweep(most)
  local over = call('ZRANGEBYSCORE', base .. 'deadlines', '-inf', now, 'LIMIT', 0, most)
  if #over > 0 then
    end_admissions(over, nil)
  end
  return #over
end

-- How many may be admitted now, `most` at most.
local function admissible(most)
  if lane.shut ~= '' then
    return 0
  end
  local free = math.min(math.max(lane.capacity - lane.admitted, 0), most)
  if lane.interval_ns and free > 0 then
    local ahead = math.max((lane.due - now) * 1000 + lane.due_ns, 0)
    local allowed = ahead > CATCH_UP_NS and 0 or math.floor((CATCH_UP_NS - ahead) / lane.interval_ns) + 1
    return math.min(free, allowed)
  end
  return free
end

-- Counts that so many are admitted now, for the rate and for the speed.
local function count_admitted(many)
  if lane.interval_ns then
    local ahead = math.max((lane.due - now) * 1000 + lane.due_ns, 0) + many * lane.interval_ns
    lane.due, lane.due_ns = now + math.floor(ahead / 1000), ahead % 1000
  end
  local elapsed = math.max(now - (lane.window or now), 0)
  if elapsed >= WINDOW then
    local follows = elapsed < 2 * WINDOW
    lane.in_last_window = follows and lane.in_window or 0
    lane.in_window = 0
    lane.window = follows and lane.window + WINDOW or now
  end
  lane.window = lane.window or now
  lane.in_window = lane.in_window + many
end

-- Admits who is next, `most` at most; how many.
local function admit(most)
  local many = math.min(waiting(), admissible(most))
  if many == 0 then
    return 0
  end
  local inside, deadlines = {}, {}
  for at = 1, many do
    inside[2 * at - 1], inside[2 * at] = lane.head, '0' .. call('LPOP', base .. 'line')
    deadlines[2 * at - 1], deadlines[2 * at] = now + lane.claim_ttl, lane.head
    move_head(lane.head + 1)
    skip_gone()
  end
  call('HSET', base .. 'inside', unpack(inside))
  call('ZADD', base .. 'deadlines', unpack(deadlines))
  lane.admitted = lane.admitted + many
  count_admitted(many)
  changed = true
  return many
end

-- What a ticket is: 'queue_reset', 'unknown_ticket', 'waiting', 'done' with its reason, or 'admitted' with its end and
-- whether it was claimed.
local function standing(epoch, seq, user)
  if epoch ~= lane.epoch then
    return 'queue_reset'
  elseif seq < 1 or seq >= lane.next then
    return 'unknown_ticket'
  end
  local reason = end_of(seq)
  if reason ~= 0 then
    return 'done', reason
  elseif live(user) ~= seq then
    return 'unknown_ticket'
  end
  local over = tonumber(call('ZSCORE', base .. 'deadlines', seq))
  if not over then
    return 'waiting'
  end
  local claimed = string.byte(call('HGET', base .. 'inside', seq)) == 49
  if now >= over then
    return 'done', claimed and SESSION_EXPIRED or NO_SHOW
  end
  return 'admitted', over, claimed and 1 or 0
end

-- The speed of late, and what else it takes to guess a wait.
local function speed()
  return lane.claim_ttl, lane.window or false, lane.in_window, lane.in_last_window or false
end

local function place(epoch, seq, user)
  local is, what, claimed = standing(epoch, seq, user)
  if is == 'waiting' then
    return is, rank(seq), speed()
  end
  return is, what, claimed
end

-- Runs `act` on the lane, and answers with what it says after the lane's epoch, its step and the time.
local function on_lane(act)
  local is = load_lane()
  if is ~= 'ok' then
    return { is }
  end
  local answer = act()
  if changed then
    save_lane()
  end
  return { answer[1], lane.epoch, lane.step, now, unpack(answer, 2) }
end
