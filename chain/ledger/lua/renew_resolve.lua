-- A resolver's lease is renewed.
-- KEYS resolver  hash: token, until (Unix ms), taken
-- ARGV[1] token, ARGV[2] the lease's length (ms)
-- Returns 1; 0 where it ended and another began.
if redis.call('HGET', resolver, 'token') ~= ARGV[1] then
  return 0
end
write_first('HDEL', resolver, 'until')
redis.call('HSET', resolver, 'until', read_clock() + ARGV[2])
return 1
