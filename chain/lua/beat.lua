-- A worker says that it lives and how many miners it can run; those that fell silent are forgotten.
-- KEYS[1] workers  sorted set: worker -> until when it counts as alive (Unix ms)
-- KEYS[2] sizes    hash: worker -> how many miners it can run
-- ARGV[1] worker, ARGV[2] its size, -1 where it leaves, ARGV[3] how long a beat counts (ms)
-- Returns OK.
local workers, sizes = KEYS[1], KEYS[2]
local worker, size, beat_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', workers, '-inf', now)) do
  redis.call('ZREM', workers, silent)
  redis.call('HDEL', sizes, silent)
end
redis.call('ZREM', workers, worker) -- first, for the reason given in claim_range.lua
redis.call('HDEL', sizes, worker)
if size >= 0 then
  redis.call('ZADD', workers, now + beat_ms, worker)
  redis.call('HSET', sizes, worker, size)
end
return 'OK'
