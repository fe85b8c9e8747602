-- As many bells are noted as miners are missing; the caller then rings that many. A bell counts as
-- a miner until it is answered or lost, so that a burst of requests rings once and not each time.
-- KEYS miners  sorted set: lease -> its end (Unix ms)
-- KEYS bells   sorted set: bell -> when it counts as lost (Unix ms)
-- KEYS rates   hash: lease -> hashes a second
-- ARGV[1] miners wanted, ARGV[2] how long a bell may go unanswered (ms), ARGV[3] a unique name,
-- ARGV[4] how long a lease counts (ms)
-- Returns how many bells to ring.
local wanted, bell_ms, name, lease_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]

write_first('ZREM', bells, '')
local now = read_clock()
for _, lease in ipairs(list_over(miners, now, lease_ms)) do
  redis.call('ZREM', miners, lease)
  redis.call('HDEL', rates, lease)
end
for _, bell in ipairs(list_over(bells, now, bell_ms)) do
  redis.call('ZREM', bells, bell)
end
local missing = wanted - redis.call('ZCARD', miners) - redis.call('ZCARD', bells)
for i = 1, missing do
  redis.call('ZADD', bells, now + bell_ms, name .. ':' .. i)
end
return math.max(missing, 0)
