-- The candidate's next nonces become the caller's alone, and the caller's lease is renewed.
-- A range is never given twice: what a dead miner held is simply not searched.
-- KEYS candidate  hash: prefix (88 B), next (nonce)
-- KEYS miners     sorted set: lease -> its end (Unix ms)
-- KEYS rates      hash: lease -> hashes a second; last (of any miner); cost, see ARGV[5]
-- ARGV[1] how many nonces, ARGV[2] lease, ARGV[3] its length (ms),
-- ARGV[4] the caller's hashes a second, ARGV[5] the microseconds from its last find to the search of
--   the next block; 0 each where it does not know yet
-- Returns the candidate's prefix and the first nonce as a string; NONE where there is no candidate.
local count, lease, lease_ms, rate, cost = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]

write_first('ZREM', miners, lease)
redis.call('ZADD', miners, read_clock() + lease_ms, lease)
if rate ~= '0' then
  redis.call('HSET', rates, lease, rate, 'last', rate)
end
if cost ~= '0' then
  redis.call('HSET', rates, 'cost', cost)
end
local found = redis.call('HMGET', candidate, 'prefix', 'next')
if not found[1] then
  return 'NONE'
end
redis.call('HINCRBY', candidate, 'next', count)
return found
