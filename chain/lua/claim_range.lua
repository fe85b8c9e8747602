-- The candidate's next nonces become the caller's alone, and the caller's lease is renewed.
-- A range is never given twice: what a dead miner held is simply not searched.
-- KEYS[1] candidate  hash: prefix (88 B), next (nonce)
-- KEYS[2] miners     sorted set: lease -> its end (Unix ms)
-- KEYS[3] rates      hash: lease -> hashes a second
-- ARGV[1] prefix, ARGV[2] how many nonces, ARGV[3] lease, ARGV[4] its length (ms),
-- ARGV[5] the caller's hashes a second, 0 where it does not know yet
-- Returns the first nonce as a string; STALE where the candidate is another or gone.
local candidate, miners, rates = KEYS[1], KEYS[2], KEYS[3]
local prefix, count, lease, lease_ms, rate = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]

-- ZREM first: where memory has run out, only a script that has already written may grow, and
-- mining has to go on, since it alone makes room
redis.call('ZREM', miners, lease)
redis.call('ZADD', miners, read_clock() + lease_ms, lease)
if rate ~= '0' then
  redis.call('HSET', rates, lease, rate, 'last', rate)
end
local found = redis.call('HMGET', candidate, 'prefix', 'next')
if found[1] ~= prefix then
  return 'STALE'
end
redis.call('HINCRBY', candidate, 'next', count)
return found[2]
