-- Sends prepared GraphQL requests, one after the other, and tells the figures as one line of JSON.
-- wrk -t1 -c32 -d4s --latency -s load.lua URL -- FILE [PAUSE], with one request body a line.
-- With a pause each connection waits between two requests, half to one and a half as many milliseconds.

local requests, place = {}, 0

function init(args)
  local headers = { ["Content-Type"] = "application/json" }
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", wrk.path, headers, line)
  end
  local pause = tonumber(args[2] or 0)
  if pause > 0 then
    function delay() return math.random(pause / 2, pause * 3 / 2) end
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(("\n{\"requests\":%d,\"seconds\":%f,\"p50_ms\":%f,\"p99_ms\":%f,\"failed\":%d}\n"):format(
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
