-- As many bells are noted as miners are missing; the caller then rings that many. A bell counts as
-- a miner until it is answered or lost, so that a burst of requests rings once and not each time.
-- KEYS[1] miners  sorted set: lease -> its end (Unix ms)
-- KEYS[2] bells   sorted set: bell -> when it counts as lost (Unix ms)
-- KEYS[3] rates   hash: lease -> hashes a second
-- ARGV[1] miners wanted, ARGV[2] how long a bell may go unanswered (ms), ARGV[3] a unique name
-- Returns how many bells to ring.
local miners, bells, rates = KEYS[1], KEYS[2], KEYS[3]
local wanted, bell_ms, name = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, lease in ipairs(redis.call('ZRANGEBYSCORE', miners, '-inf', now)) do
  redis.call('ZREM', miners, lease)
  redis.call('HDEL', rates, lease)
end
redis.call('ZREMRANGEBYSCORE', bells, '-inf', now)
local missing = wanted - redis.call('ZCARD', miners) - redis.call('ZCARD', bells)
for i = 1, missing do
  redis.call('ZADD', bells, now + bell_ms, name .. ':' .. i)
end
return math.max(missing, 0)
