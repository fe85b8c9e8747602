-- The candidate becomes the tip: its block is appended, its transactions and its mine request
-- leave the queue, the counters move. All or nothing; sent again after a lost reply, it is ALREADY.
-- Precondition: the caller checked that the header meets its target.
-- KEYS[1] tip, KEYS[2] records, KEYS[3] bodies, KEYS[4] indexes   see create_genesis.lua
-- KEYS[5] candidate, KEYS[6] candidate_body                       see open_candidate.lua
-- KEYS[7] pending, KEYS[8] transactions, KEYS[9] counters         see submit.lua
-- KEYS[10] mine_requests, KEYS[11] jobs                           see request_mine.lua
-- ARGV[1] the header's prefix (88 B), ARGV[2] the block's hash (32 B), ARGV[3] the same in hex,
-- ARGV[4] index, ARGV[5] record (128 B), ARGV[6] the channel that is told the index
-- Returns CONNECTED; ALREADY where the chain holds this block; STALE where the candidate is another.
local tip, records, bodies, indexes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local candidate, candidate_body = KEYS[5], KEYS[6]
local pending, transactions, counters = KEYS[7], KEYS[8], KEYS[9]
local mine_requests, jobs = KEYS[10], KEYS[11]
local prefix, hash, hash_hex, index, record, channel = unpack(ARGV, 1, 6)
local CHUNK = 1000 -- pairs in one HSET: Lua's stack holds 8,000 arguments

if redis.call('HEXISTS', indexes, hash) == 1 then
  return 'ALREADY'
end
local found = redis.call('HMGET', candidate, 'prefix', 'count', 'job', 'reward')
if found[1] ~= prefix then
  return 'STALE'
end
local count, job, reward = tonumber(found[2]), found[3], found[4]
local entries = count > 0 and redis.call('LRANGE', pending, 0, count - 1) or {}
local body = redis.call('GET', candidate_body)

-- The first writes free memory, so the server lets the rest go on where memory has run out.
redis.call('DEL', candidate, candidate_body)
redis.call('LTRIM', pending, count, -1)
if job ~= '' then
  redis.call('LPOP', mine_requests)
  redis.call('HSET', jobs, job, index .. ':' .. hash_hex)
end
local bytes, places = 0, {}
for i, entry in ipairs(entries) do
  bytes = bytes + #entry
  places[#places + 1] = string.sub(entry, 1, 32)
  places[#places + 1] = index .. ':' .. (i - 1)
  if #places == 2 * CHUNK then
    redis.call('HSET', transactions, unpack(places))
    places = {}
  end
end
redis.call('HSET', transactions, reward, index .. ':' .. count, unpack(places))
redis.call('HINCRBY', counters, 'pending_bytes', 0 - bytes) -- some servers read -0 as no number
redis.call('HINCRBY', counters, 'mined', count)
redis.call('HINCRBY', counters, 'connected', 1)
redis.call('HSET', bodies, index, body)
redis.call('HSET', records, index, record)
redis.call('HSET', indexes, hash, index)
redis.call('HSET', tip, 'hash', hash, 'index', index, 'record', record)
redis.call('PUBLISH', channel, index)
return 'CONNECTED'
