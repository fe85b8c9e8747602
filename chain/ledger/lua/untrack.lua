-- Requests are tracked no longer.
-- KEYS followed, followed_since  see track.lua
-- ARGV[1] ... the transactions and jobs, at most 1,000
-- Returns the trails of those that were tracked.
local trails = {}
for i, trail in ipairs(redis.call('HMGET', followed, unpack(ARGV))) do
  if trail then
    redis.call('HDEL', followed, ARGV[i])
    redis.call('ZREM', followed_since, ARGV[i])
    trails[#trails + 1] = trail
  end
end
return trails
