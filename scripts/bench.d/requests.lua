-- Requests for wrk: each line of the file named by REQUESTS is one, as METHOD, path, token, idempotency key and body with
-- tabs between; - stands for nothing. The lines are sent in order; a thread that runs out starts again.
local requests, at = {}, 0

function init()
  for line in io.lines(os.getenv("REQUESTS")) do
    local method, path, token, key, body = line:match("^(%S+)\t(%S+)\t(%S+)\t(%S+)\t(.*)$")
    local headers = { ["Authorization"] = "Bearer " .. token }
    if key ~= "-" then headers["Idempotency-Key"] = key end
    if body == "-" then body = nil else headers["Content-Type"] = "application/json" end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
