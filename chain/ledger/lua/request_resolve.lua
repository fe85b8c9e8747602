-- Resolving is asked for. What has not begun yet serves all who ask, so at most two wait: one that
-- is under way, and one that begins after it and sees what came since.
-- KEYS resolve_requests  list: job (32 hex digits), the oldest first; removed when it is done
-- KEYS resolver          hash: token, until (Unix ms), taken (how many it serves)
-- KEYS resolution        string: outcome (JSON) of the job that is offered, or '' until it is done
-- KEYS tip               hash, without which there is no chain
-- ARGV[1] the job that is offered, ARGV[2] how long its outcome is kept (s),
-- ARGV[3] the length of a resolver's lease (ms)
-- Returns the job that serves the caller, or NO_CHAIN.
local job, keep_s, lease_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])

if redis.call('EXISTS', tip) == 0 then
  return 'NO_CHAIN'
end
local now = read_clock()
local found = redis.call('HMGET', resolver, 'until', 'taken')
local is_busy = is_ahead(tonumber(found[1] or '0'), now, lease_ms)
local taken = is_busy and tonumber(found[2]) or 0
if redis.call('LLEN', resolve_requests) > taken then
  return redis.call('LINDEX', resolve_requests, -1)
end
redis.call('RPUSH', resolve_requests, job)
redis.call('SET', resolution, '', 'EX', keep_s)
return job
