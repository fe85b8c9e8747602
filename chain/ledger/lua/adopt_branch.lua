-- A heavier branch replaces all blocks after the fork, all or nothing. The transactions of stale blocks
-- are pending again, ahead of all others; those that the branch holds are so no longer. What their number
-- would make slow is left to settle.lua; until then these keys are read beside pending and transactions:
--   arrived   hash: id -> place, of the branch's transactions
--   returned  list: entries of pending, from stale blocks, oldest first; they come before pending
--   leaving   set: ids of pending that the branch holds
-- A candidate is dropped: its tip is gone. Mine requests stay; a job that was done stays done.
-- Precondition: the caller validated the branch and found it heavier than the tip that it names.
-- Cumulative work only grows, so a tip never comes again, and its hash stands for all that follows
-- from it: the stale blocks, and what was staged of them. While it is the tip, pending only grows.
-- KEYS tip, records, bodies, indexes         see create_genesis.lua
-- KEYS candidate, candidate_body             see open_candidate.lua
-- KEYS pending, transactions, counters       see submit.lua
-- KEYS arrived, returned, leaving            see above
-- staged, each with an end of its own, so that what is left behind vanishes:
-- KEYS branch_records                        hash: index -> record
-- KEYS branch_bodies                         hash: index -> compressed JSON array of transactions
-- KEYS branch_arrived, branch_returned, branch_leaving  what will be arrived, returned and leaving
-- KEYS branch_rewards                        list: ids of the stale blocks' rewards
-- KEYS rules                                 hash: revision
-- ARGV[1] hash of the tip that is replaced, ARGV[2] the fork's index, ARGV[3] hash of the branch's
-- tip, ARGV[4] how many transactions the branch has, ARGV[5] returned, ARGV[6] the bytes of those,
-- ARGV[7] rewards, ARGV[8] how many of pending were looked through for what leaves,
-- ARGV[9] how many to look through at most, ARGV[10] the channel that is told the index,
-- ARGV[11] how many more contracts the chain has then, ARGV[12] the revision of the rules by which
-- the branch was judged
-- Returns ADOPTED; ALREADY where the chain holds the branch's tip; STALE where the tip is another,
-- what was staged is not all there, or an earlier branch is not settled; OTHER_RULES where the rules
-- are others; or a number: how many of pending were looked through by now, for the next call.
local old_hash, fork, hash = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local count, count_returned, returned_bytes, count_rewards = unpack(ARGV, 4, 7)
local seen, most, channel = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local contracts, revision = ARGV[11], ARGV[12]
local AT_ONCE = 1000 -- Lua's stack holds 8,000 arguments

if redis.call('HEXISTS', indexes, hash) == 1 then
  return 'ALREADY'
end
if redis.call('HGET', rules, 'revision') ~= revision then
  return 'OTHER_RULES'
end
local found = redis.call('HMGET', tip, 'hash', 'index')
local blocks = redis.call('HLEN', branch_records)
local last, old_last = fork + blocks, tonumber(found[2])
if found[1] ~= old_hash
  or blocks == 0
  or redis.call('HLEN', branch_bodies) ~= blocks
  or redis.call('HLEN', branch_arrived) ~= tonumber(count)
  or redis.call('LLEN', branch_returned) ~= tonumber(count_returned)
  or redis.call('LLEN', branch_rewards) ~= tonumber(count_rewards)
  or redis.call('EXISTS', arrived, returned, leaving) > 0
then
  return 'STALE'
end

-- what was submitted since the branch's transactions were looked for may be one of them
local leave = {}
local entries = redis.call('LRANGE', pending, seen, seen + most - 1)
if #entries > 0 then
  local ids = {}
  for i, entry in ipairs(entries) do
    ids[i] = string.sub(entry, 1, 32)
  end
  for i, place in ipairs(redis.call('HMGET', branch_arrived, unpack(ids))) do
    if place then
      leave[#leave + 1] = ids[i]
    end
  end
end
seen = seen + #entries
local is_all = seen >= redis.call('LLEN', pending)

if is_all and write_first('DEL', candidate, candidate_body) > 0 then
  redis.call('HINCRBY', counters, 'abandoned', 1)
end
if #leave > 0 then
  redis.call('SADD', branch_leaving, unpack(leave))
  redis.call('EXPIRE', branch_leaving, redis.call('TTL', branch_arrived))
end
if not is_all then
  return seen
end

for _, names in ipairs({
  { branch_arrived, arrived }, { branch_returned, returned }, { branch_leaving, leaving },
}) do
  if redis.call('EXISTS', names[1]) == 1 then
    redis.call('PERSIST', names[1])
    redis.call('RENAME', names[1], names[2])
  end
end
for from = 0, count_rewards - 1, AT_ONCE do
  redis.call('HDEL', transactions, unpack(redis.call('LRANGE', branch_rewards, from, from + AT_ONCE - 1)))
end

-- the chain
local stale_hash = old_hash
for index = old_last, fork + 1, -1 do
  local record = redis.call('HGET', records, index)
  redis.call('HDEL', indexes, stale_hash)
  redis.call('HDEL', records, index)
  redis.call('HDEL', bodies, index)
  stale_hash = string.sub(record, 25, 56) -- previous_hash
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

redis.call('HINCRBY', counters, 'pending_bytes', returned_bytes)
redis.call('HINCRBY', counters, 'adopted', blocks)
redis.call('HINCRBY', counters, 'contracts', contracts)
if old_last > fork then
  redis.call('HINCRBY', counters, 'reorganisations', 1)
  redis.call('HINCRBY', counters, 'stale', old_last - fork)
end
redis.call('UNLINK', branch_records, branch_bodies, branch_rewards)
redis.call('PUBLISH', channel, last)
return 'ADOPTED'
