-- The tip without a candidate gets one; where it has one, nothing changes and that one is joined.
-- Precondition: the body holds the first `count` pending transactions, read on this tip, or behind
-- those of the candidate that became this tip. Pending loses its head only when the tip moves, so
-- the tip's hash stands for all that was read.
-- KEYS tip             hash: hash
-- KEYS candidate       hash: prefix (88 B), count, job, reward (id, 32 B), next (nonce), placed
--   (how many have their places), bytes (of those in pending), contracts (transactions that have
--   one), opened (Unix ms); and of those that have their places, how long they waited: waited (sum,
--   ms), waited:N (how many between 2^(N-1) and 2^N ms)
-- KEYS candidate_body  string: compressed JSON array of transactions
-- KEYS pending         list
-- KEYS mine_requests   list: job (32 hex digits) .. requested
-- KEYS counters        hash: abandoned  candidates that were dropped
-- KEYS rules           hash: revision
-- KEYS arrived, returned, leaving   see adopt_branch.lua
-- ARGV[1] the tip's hash, ARGV[2] prefix, ARGV[3] count, ARGV[4] id of the reward,
--   ARGV[5] compressed body, ARGV[6] prefix of a candidate that may be replaced, or '',
--   ARGV[7] how many of the transactions have a contract, ARGV[8] the revision of the rules by which
--   it was built, ARGV[9] 1 if a mine request waited when it was built, else 0
-- It serves the oldest mine request. One that came after it was built waits for the next block: what
-- was accepted before such a request may be missing here.
-- Returns OPENED; JOINED where this tip has a candidate; STALE where tip or queue are others, or the
-- branch that was adopted last is not settled; OTHER_RULES where the rules are others.
local tip_hash, prefix, count, reward = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local body, unfit, contracts, revision = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local is_asked = ARGV[9] == '1'

if redis.call('HGET', tip, 'hash') ~= tip_hash or redis.call('LLEN', pending) < count
  or redis.call('EXISTS', arrived, returned, leaving) > 0 then
  return 'STALE'
end
if redis.call('HGET', rules, 'revision') ~= revision then
  return 'OTHER_RULES'
end
local there = redis.call('HGET', candidate, 'prefix')
if there and there ~= unfit then
  return 'JOINED'
end
local head = is_asked and redis.call('LINDEX', mine_requests, 0)
local job = string.sub(head or '', 1, 32)

write_first('DEL', candidate, candidate_body)
redis.call('HSET', candidate, 'prefix', prefix, 'count', count, 'job', job, 'reward', reward,
  'next', 0, 'placed', 0, 'bytes', 0, 'contracts', contracts,
  'opened', read_clock())
if there then
  redis.call('HINCRBY', counters, 'abandoned', 1)
end
redis.call('SET', candidate_body, body)
return 'OPENED'
