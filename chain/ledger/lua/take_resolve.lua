-- One resolver at a time begins, and serves all who have asked so far. One that dies is replaced
-- when its lease ends, and its requests are served by the next.
-- KEYS resolve_requests  list: job
-- KEYS resolver          hash: token, until (Unix ms), taken (how many it serves), began
-- ARGV[1] token, ARGV[2] the lease's length (ms)
-- Returns the jobs that it serves, maybe none; or BUSY where another is under way.
local token, lease_ms = ARGV[1], tonumber(ARGV[2])

local now = read_clock()
if is_ahead(tonumber(redis.call('HGET', resolver, 'until') or '0'), now, lease_ms) then
  return 'BUSY'
end
write_first('DEL', resolver)
local jobs = redis.call('LRANGE', resolve_requests, 0, -1)
redis.call('HSET', resolver, 'token', token, 'until', now + lease_ms, 'taken', #jobs,
  'began', now)
return jobs
