-- From a block on that is not mined yet, others rules hold; a candidate that was built under those
-- before is dropped. The first change of a ledger that an earlier version left writes down the rules of
-- the blocks that are there, too, and marks it with the format.
-- KEYS tip    hash: index
-- KEYS rules  hash: signed ('1' where every transaction has to be, else '0'); format, and
--   reader (the least version that reads it), absent in format 1; revision (how often it changed);
--   surveyed ('index:bits' while an earlier format is taken over: up to which block the chain was
--   read, and the least bits of a block so far); and from:INDEX -> 'bits:transactions:bytes', what a
--   block keeps from the one at INDEX on
-- KEYS candidate, candidate_body, counters   see open_candidate.lua
-- ARGV[1] the revision that the caller knows, ARGV[2] index of the first block, ARGV[3] its limits,
-- ARGV[4] limits of the blocks that are there, or '' where they are written down, ARGV[5] format,
-- ARGV[6] reader
-- Returns CHANGED; STALE where the revision is another, or that block is mined.
local revision, first, limits, before, format, reader = unpack(ARGV)

local known = tonumber(redis.call('HGET', rules, 'revision') or '0')
if known == revision + 1 and redis.call('HGET', rules, 'from:' .. first) == limits then
  return 'CHANGED' -- sent again after a lost reply
end
if known ~= tonumber(revision) or tonumber(redis.call('HGET', tip, 'index')) >= tonumber(first) then
  return 'STALE'
end
if redis.call('DEL', candidate, candidate_body) > 0 then
  redis.call('HINCRBY', counters, 'abandoned', 1)
end
if before ~= '' then
  redis.call('HSET', rules, 'from:2', before)
end
redis.call('HDEL', rules, 'surveyed')
redis.call('HSET', rules, 'from:' .. first, limits, 'revision', revision + 1, 'format', format,
  'reader', reader)
return 'CHANGED'
