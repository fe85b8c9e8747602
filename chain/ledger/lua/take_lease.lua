-- A miner begins: it holds a lease, and one wake-up that was sent to somebody is answered.
-- KEYS miners  sorted set: lease -> its end (Unix ms)
-- KEYS bells   sorted set: wake-up -> when it counts as lost (Unix ms)
-- ARGV[1] lease, ARGV[2] its length (ms)
-- Returns OK.
local lease, lease_ms = ARGV[1], tonumber(ARGV[2])

write_first('ZPOPMIN', bells)
redis.call('ZADD', miners, read_clock() + lease_ms, lease)
return 'OK'
