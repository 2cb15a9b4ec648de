-- ARGV[3]: how many are swept and admitted at most. How many were admitted, and how many ended.
local most = tonumber(ARGV[3])

return on_lane(function()
  local ended = sweep(most)
  return { 'advanced', admit(most), ended }
end)
