-- A request is followed until its last entry is in a block; so many at once, and each for so long.
-- KEYS[1] followed  hash: a transaction's id (32 B) or a job -> the trail of its request; expires whole
--   so long after the last one that was followed
-- ARGV[1] the transaction or the job, ARGV[2] the trail, ARGV[3] most at once, ARGV[4] how long (s)
-- Returns FOLLOWED or FULL.
local followed = KEYS[1]
local name, trail, most, long = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

redis.call('HDEL', followed, name) -- first, for the reason given in claim_range.lua
if redis.call('HLEN', followed) >= most then
  return 'FULL'
end
redis.call('HSET', followed, name, trail)
redis.call('EXPIRE', followed, long)
return 'FOLLOWED'
