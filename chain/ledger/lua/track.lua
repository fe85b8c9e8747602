-- A request is tracked until its last entry is in a block; so many at once, each for so long.
-- KEYS followed        hash: a transaction's id (32 B) or a job -> the trail of its request
-- KEYS followed_since  sorted set: the same names, by when they were tracked (Unix ms)
-- KEYS transactions    see submit.lua
-- KEYS jobs            see request_mine.lua
-- ARGV[1] the transaction or the job, ARGV[2] the trail, ARGV[3] most at once, ARGV[4] how long (ms)
-- Returns TRACKED; KNOWN where another request is tracked by this name, or it is in a block
-- already; FULL.
local name, trail, most, long = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

local now = read_clock()
for _, old in ipairs(list_over(followed_since, now - long, long)) do
  redis.call('ZREM', followed_since, old)
  redis.call('HDEL', followed, old)
end
local place = redis.call('HGET', transactions, name) or redis.call('HGET', jobs, name)
if (place and place ~= '') or redis.call('HEXISTS', followed, name) == 1 then
  return 'KNOWN'
end
if redis.call('HLEN', followed) >= most then
  return 'FULL'
end
redis.call('HSET', followed, name, trail)
redis.call('ZADD', followed_since, now, name)
return 'TRACKED'
