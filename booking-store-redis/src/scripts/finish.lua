-- ARGV[3]: how many are swept and admitted at most. ARGV[4], ARGV[5], ARGV[6]: the ticket's epoch, number and user.
-- ARGV[7]: why it ends. One that is done, or is none of this lane's, stays as it is.
local most, seq, reason = tonumber(ARGV[3]), tonumber(ARGV[5]), tonumber(ARGV[7])

return on_lane(function()
  sweep(most)
  admit(most)
  local is = standing(ARGV[4], seq, ARGV[6])
  if is == 'admitted' then
    end_admissions({ seq }, reason)
  elseif is == 'waiting' then
    forget(ARGV[6], seq, reason)
    call('SETBIT', base .. 'gone:' .. chunk(seq), seq % CHUNK, 1)
    call('HINCRBY', base .. 'counts', chunk(seq), 1)
    call('RPUSH', base .. 'departed', seq)
    lane.gone = lane.gone + 1
    skip_gone()
  end
  admit(most)
  return { 'finished' }
end)
