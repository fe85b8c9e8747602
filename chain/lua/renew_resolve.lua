-- A resolver's lease is renewed.
-- KEYS[1] resolver  hash: token, until (Unix ms), taken
-- ARGV[1] token, ARGV[2] the lease's length (ms)
-- Returns 1; 0 where it ended and another began.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
redis.call('HDEL', KEYS[1], 'until') -- first, for the reason given in claim_range.lua
redis.call('HSET', KEYS[1], 'until', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2])
return 1
