-- Holds for wrk: each line of the file named by HOLDS is one buyer's token and body. Threads take every n-th line,
-- so that no line is sent twice; a thread that runs out starts again (the echo does not mind; ours answers a replay).
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init()
  requests, at = {}, 0
  local number, of = 0, tonumber(os.getenv("WRK_THREADS") or "1")
  for line in io.lines(os.getenv("HOLDS")) do
    if number % of == id then
      local token, body = line:match("^(%S+) (.*)$")
      requests[#requests + 1] = wrk.format("POST", "/v1/reservations",
        { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }, body)
    end
    number = number + 1
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
