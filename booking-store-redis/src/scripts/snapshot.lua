-- ARGV[3]: the cursor from which departures are told, or '' for none. ARGV[4]: how many are told at most.
return on_lane(function()
  local departed, cursor, told = base .. 'departed', nil, {}
  local all = call('LLEN', departed)
  if ARGV[3] == '' or tonumber(ARGV[3]) >= all then
    cursor = all
  else
    local since = tonumber(ARGV[3])
    told = call('LRANGE', departed, since, since + tonumber(ARGV[4]) - 1)
    cursor = since + #told
  end
  local settings = call('HGET', KEYS[1], 'settings')
  return {
    'snapshot', lane.head, lane.next, waiting(), lane.admitted, lane.users, settings, cursor, told, speed(),
  }
end)
