-- As many wake-ups are noted as miners are missing; the caller then sends that many. One counts as
-- a miner until it is answered or lost, so that a burst of requests sends them once and not each time.
-- KEYS miners  sorted set: lease -> its end (Unix ms)
-- KEYS bells   sorted set: wake-up -> when it counts as lost (Unix ms)
-- KEYS rates   hash: lease -> hashes a second
-- ARGV[1] miners wanted, ARGV[2] how long a wake-up may go unanswered (ms), ARGV[3] a unique name,
-- ARGV[4] how long a lease counts (ms)
-- Returns how many wake-ups to send.
local wanted, wake_up_ms, name, lease_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]

write_first('ZREM', bells, '')
local now = read_clock()
for _, lease in ipairs(list_over(miners, now, lease_ms)) do
  redis.call('ZREM', miners, lease)
  redis.call('HDEL', rates, lease)
end
for _, wake_up in ipairs(list_over(bells, now, wake_up_ms)) do
  redis.call('ZREM', bells, wake_up)
end
local missing = wanted - redis.call('ZCARD', miners) - redis.call('ZCARD', bells)
for i = 1, missing do
  redis.call('ZADD', bells, now + wake_up_ms, name .. ':' .. i)
end
return math.max(missing, 0)
