-- A resolver's lease is renewed.
-- KEYS[1] resolver  hash: token, until (Unix ms), taken
-- ARGV[1] token, ARGV[2] the lease's length (ms)
-- Returns 1; 0 where it ended and another began.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return 0
end
write_first('HDEL', KEYS[1], 'until')
redis.call('HSET', KEYS[1], 'until', read_clock() + ARGV[2])
return 1
