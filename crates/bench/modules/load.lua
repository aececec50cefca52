-- What wrk sends: the request of its command line, in whose headers {number} is the request's number, in hexadecimal.
-- Arguments: how many numbers there are, after which they come again; milliseconds that a connection waits on average
-- between an answer and its next request, or 0 for a closed loop.
local prepared, number, numbers = {}, 0, 1
local template

local function numbered(index)
  return (template:gsub("{number}", string.format("%08x", index)))
end

function init(args)
  numbers = tonumber(args[1])
  template = wrk.format()
  for index = 0, math.min(numbers, 1000) - 1 do
    prepared[index] = numbered(index)
  end
  local mean = tonumber(args[2])
  if mean > 0 then
    -- Exponential, so that the requests of many connections arrive as those of many users do. The same in every run.
    function delay()
      return math.floor(-mean * math.log(1 - math.random()) + 0.5)
    end
  end
end

function request()
  local index = number % numbers
  number = number + 1
  return prepared[index] or numbered(index)
end

function done(summary, latency)
  local errors = 0
  for _, count in pairs(summary.errors) do
    errors = errors + count
  end
  local line = '{"requests": %d, "errors": %d, "duration": %d, "p50": %d, "p99": %d}\n'
  io.write(line:format(summary.requests, errors, summary.duration, latency:percentile(50), latency:percentile(99)))
end
