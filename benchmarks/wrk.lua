-- What wrk sends, and how it says what came of it: arguments are the method, the kind of key, a prefix of keys, a body.
function init(arguments)
  local kind, prefix = arguments[2], arguments[3]
  wrk.method = arguments[1]
  wrk.body = arguments[4]
  if kind == "same" then
    wrk.headers["Idempotency-Key"] = prefix
  elseif kind == "new" then
    local number = 0
    request = function()
      number = number + 1
      wrk.headers["Idempotency-Key"] = prefix .. number
      return wrk.format()
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.stdout:write(string.format(
    '\n{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
