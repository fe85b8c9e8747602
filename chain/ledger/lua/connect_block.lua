-- The candidate becomes the tip: its block is appended, its transactions and its mine request
-- leave the queue, the counters move. All or nothing; sent again after a lost reply, it is ALREADY.
-- How long it keeps the server does not depend on how many transactions the block takes.
-- Precondition: the caller checked that the header meets its target.
-- KEYS tip, records, bodies, indexes     see create_genesis.lua
-- KEYS candidate, candidate_body         see open_candidate.lua
-- KEYS pending, transactions, counters   see submit.lua
-- KEYS mine_requests, jobs               see request_mine.lua
-- KEYS histograms  hash: NAME (sum, ms), NAME:N (how many between 2^(N-1) and 2^N ms), for
--   waited (from acceptance to the block) and mined (from the candidate to the block)
-- ARGV[1] the header's prefix (88 B), ARGV[2] the block's hash (32 B), ARGV[3] the same in hex,
-- ARGV[4] index, ARGV[5] record (128 B), ARGV[6] the first 8 bytes of the Merkle root,
-- ARGV[7] the channel that is told the index
-- Returns CONNECTED; ALREADY where the chain holds this block; STALE where the candidate is another,
-- or not all of its transactions have their places (see place_transactions.lua).
local prefix, hash, hash_hex, index, record, root, channel = unpack(ARGV, 1, 7)

if redis.call('HEXISTS', indexes, hash) == 1 then
  return 'ALREADY'
end
local fields = redis.call('HGETALL', candidate)
local found = {}
for i = 1, #fields, 2 do
  found[fields[i]] = fields[i + 1]
end
if found.prefix ~= prefix or found.placed ~= found.count then
  write_first('HDEL', counters, '')
  redis.call('HINCRBY', counters, 'stale_finds', 1)
  return 'STALE'
end
local count, job, reward, bytes = found.count, found.job, found.reward, found.bytes
local body = redis.call('GET', candidate_body)

write_first('DEL', candidate, candidate_body)
redis.call('LTRIM', pending, count, -1)
if job ~= '' then
  redis.call('LPOP', mine_requests)
  redis.call('HSET', jobs, job, index .. ':' .. hash_hex)
end
redis.call('HSET', transactions, reward, index .. ':' .. count .. ':' .. root)
redis.call('HINCRBY', counters, 'pending_bytes', 0 - bytes) -- some servers read -0 as no number
redis.call('HINCRBY', counters, 'mined', count)
redis.call('HINCRBY', counters, 'connected', 1)
redis.call('HINCRBY', counters, 'contracts', found.contracts)
for field, value in pairs(found) do
  if string.sub(field, 1, 6) == 'waited' then
    redis.call('HINCRBY', histograms, field, value)
  end
end
local ms = math.max(read_clock() - tonumber(found.opened), 0)
local bucket = find_bucket(ms)
redis.call('HINCRBY', histograms, 'mined', ms)
redis.call('HINCRBY', histograms, 'mined:' .. bucket, 1)
redis.call('HSET', bodies, index, body)
redis.call('HSET', records, index, record)
redis.call('HSET', indexes, hash, index)
redis.call('HSET', tip, 'hash', hash, 'index', index, 'record', record)
redis.call('PUBLISH', channel, index)
return 'CONNECTED'
