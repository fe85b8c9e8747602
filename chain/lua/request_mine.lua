-- The mine requests grow by one job; a job known by its id is not added again.
-- KEYS[1] mine_requests  list: job (32 hex digits) .. requested (13 digits, Unix ms)
-- KEYS[2] jobs           hash: job -> 'index:block hash (64 hex digits)', or '' while it waits
-- ARGV[1] most waiting requests, ARGV[2] the job
-- Returns ACCEPTED or FULL.
local mine_requests, jobs = KEYS[1], KEYS[2]
local most, job = tonumber(ARGV[1]), ARGV[2]

if redis.call('HEXISTS', jobs, job) == 1 then
  return 'ACCEPTED'
end
if redis.call('LLEN', mine_requests) >= most then
  return 'FULL'
end
local time = redis.call('TIME')
local requested = string.format('%013d', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('RPUSH', mine_requests, job .. requested)
redis.call('HSET', jobs, job, '')
return 'ACCEPTED'
