-- A heavier branch replaces all blocks after the fork, all or nothing: the transactions of stale
-- blocks go back to the head of pending, those that the branch holds leave it. A candidate is
-- dropped: its tip is gone. Mine requests stay; a job that was done stays done.
-- Precondition: the caller validated the branch and found it heavier than the tip that it names.
-- Cumulative work only grows, so a tip never comes again, and its hash stands for all that follows
-- from it: the stale blocks, and what was staged of them.
-- KEYS[1] tip, KEYS[2] records, KEYS[3] bodies, KEYS[4] indexes   see create_genesis.lua
-- KEYS[5] candidate, KEYS[6] candidate_body                       see open_candidate.lua
-- KEYS[7] pending, KEYS[8] transactions, KEYS[9] counters         see submit.lua
-- staged, each with an end of its own, so that what is left behind vanishes:
-- KEYS[10] branch_records  hash: index -> record
-- KEYS[11] branch_bodies   hash: index -> compressed JSON array of transactions
-- KEYS[12] places          list: id, 'index:position:root', in turn, of the branch's transactions
-- KEYS[13] returned        list: entries of pending, from stale blocks, oldest first
-- KEYS[14] rewards         list: ids of the stale blocks' rewards
-- KEYS[15] rules           hash: revision
-- ARGV[1] hash of the tip that is replaced, ARGV[2] the fork's index, ARGV[3] hash of the branch's
-- tip, ARGV[4] how many transactions the branch has, ARGV[5] returned, ARGV[6] rewards,
-- ARGV[7] the channel that is told the index, ARGV[8] how many more contracts the chain has then,
-- ARGV[9] the revision of the rules by which the branch was judged
-- Returns ADOPTED; ALREADY where the chain holds the branch's tip; STALE where the tip is another,
-- or what was staged is not all there; OTHER_RULES where the rules are others.
local tip, records, bodies, indexes, candidate, candidate_body = unpack(KEYS, 1, 6)
local pending, transactions, counters, branch_records, branch_bodies = unpack(KEYS, 7, 11)
local places, returned, rewards = unpack(KEYS, 12, 14)
local old_hash, fork, hash = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local count, count_returned, count_rewards, channel, contracts, revision = unpack(ARGV, 4, 9)
local AT_ONCE = 1000 -- Lua's stack holds 8,000 arguments

if redis.call('HEXISTS', indexes, hash) == 1 then
  return 'ALREADY'
end
if redis.call('HGET', KEYS[15], 'revision') ~= revision then
  return 'OTHER_RULES'
end
local found = redis.call('HMGET', tip, 'hash', 'index')
local blocks = redis.call('HLEN', branch_records)
local last, old_last = fork + blocks, tonumber(found[2])
if found[1] ~= old_hash
  or blocks == 0
  or redis.call('HLEN', branch_bodies) ~= blocks
  or redis.call('LLEN', places) ~= 2 * count
  or redis.call('LLEN', returned) ~= tonumber(count_returned)
  or redis.call('LLEN', rewards) ~= tonumber(count_rewards)
then
  return 'STALE'
end

-- bytes of a record: previous_hash from 25 to 56, the first 8 of merkle_root from 57 to 64
local roots = {}
local function stands(place) -- in a block that is about to be stale
  local index, root = string.match(place, '^(%d+):%d+:(.*)$')
  if not index or tonumber(index) <= fork then
    return false
  end
  roots[index] = roots[index] or string.sub(redis.call('HGET', records, index) or '', 57, 64)
  return roots[index] == root
end

-- The first write frees memory, so the server lets the rest go on where memory has run out.
if redis.call('DEL', candidate, candidate_body) > 0 then
  redis.call('HINCRBY', counters, 'abandoned', 1)
end

-- the branch's transactions get their places; those that were known and in no block are pending
local leave, some_leave = {}, false
for from = 0, 2 * count - 1, 2 * AT_ONCE do
  local part = redis.call('LRANGE', places, from, from + 2 * AT_ONCE - 1)
  local ids = {}
  for i = 1, #part, 2 do
    ids[#ids + 1] = part[i]
  end
  for i, place in ipairs(redis.call('HMGET', transactions, unpack(ids))) do
    if place and not stands(place) then
      leave[ids[i]] = true
      some_leave = true
    end
  end
  redis.call('HSET', transactions, unpack(part))
end

for from = 0, count_rewards - 1, AT_ONCE do
  redis.call('HDEL', transactions, unpack(redis.call('LRANGE', rewards, from, from + AT_ONCE - 1)))
end

-- pending: what returns, then what was there and does not leave
local bytes = 0
for from = 0, count_returned - 1, AT_ONCE do
  for _, entry in ipairs(redis.call('LRANGE', returned, from, from + AT_ONCE - 1)) do
    bytes = bytes + #entry
  end
end
if some_leave then
  for from = 0, redis.call('LLEN', pending) - 1, AT_ONCE do
    local stay = {}
    for _, entry in ipairs(redis.call('LRANGE', pending, from, from + AT_ONCE - 1)) do
      if leave[string.sub(entry, 1, 32)] then
        bytes = bytes - #entry
      else
        stay[#stay + 1] = entry
      end
    end
    if #stay > 0 then
      redis.call('RPUSH', returned, unpack(stay))
    end
  end
  redis.call('DEL', pending)
  if redis.call('EXISTS', returned) == 1 then
    redis.call('PERSIST', returned)
    redis.call('RENAME', returned, pending)
  end
else
  for to = count_returned - 1, 0, -AT_ONCE do
    local part = redis.call('LRANGE', returned, math.max(0, to - AT_ONCE + 1), to)
    local backwards = {}
    for i = #part, 1, -1 do
      backwards[#backwards + 1] = part[i]
    end
    redis.call('LPUSH', pending, unpack(backwards))
  end
end

-- the chain
local stale_hash = old_hash
for index = old_last, fork + 1, -1 do
  local record = redis.call('HGET', records, index)
  redis.call('HDEL', indexes, stale_hash)
  redis.call('HDEL', records, index)
  redis.call('HDEL', bodies, index)
  stale_hash = string.sub(record, 25, 56)
end
local new_hash, record = hash, nil
for index = last, fork + 1, -1 do
  local older = redis.call('HGET', branch_records, index)
  redis.call('HSET', records, index, older)
  redis.call('HSET', bodies, index, redis.call('HGET', branch_bodies, index))
  redis.call('HSET', indexes, new_hash, index)
  record = record or older
  new_hash = string.sub(older, 25, 56)
end
redis.call('HSET', tip, 'hash', hash, 'index', last, 'record', record)

if bytes ~= 0 then
  redis.call('HINCRBY', counters, 'pending_bytes', bytes)
end
redis.call('HINCRBY', counters, 'adopted', blocks)
redis.call('HINCRBY', counters, 'contracts', contracts)
if old_last > fork then
  redis.call('HINCRBY', counters, 'reorganisations', 1)
  redis.call('HINCRBY', counters, 'stale', old_last - fork)
end
redis.call('DEL', branch_records, branch_bodies, places, returned, rewards)
redis.call('PUBLISH', channel, last)
return 'ADOPTED'
