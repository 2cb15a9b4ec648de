-- Polls for wrk: each line of the file named by TOKENS is one waiting person's queue token.
function init()
  requests, at = {}, 0
  for token in io.lines(os.getenv("TOKENS")) do
    requests[#requests + 1] = wrk.format("GET", "/v1/queue/status", { ["Authorization"] = "Bearer " .. token })
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
