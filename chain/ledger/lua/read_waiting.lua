-- Changes nothing: reads the next part of a list of what waits, and the tip at that moment. The rest
-- keeps its order whatever leaves such a list, so reading goes on after the entry that was read last.
-- KEYS[1] tip       hash: hash (32 B)                  see create_genesis.lua
-- KEYS[2] list      pending or mine_requests           see submit.lua, request_mine.lua
-- KEYS[3] counters  hash: mined (transactions, ever)   see connect_block.lua
-- KEYS[4] arrived, KEYS[5] returned, KEYS[6] leaving   see adopt_branch.lua
-- ARGV[1] the entry that was read last, or '', ARGV[2] its position then, ARGV[3] how many to read
-- Returns UNSETTLED where the branch that was adopted last is not settled; else the tip's hash; the list's length; how many transactions were mined, ever; the position of
-- the first entry that follows, 0 also where the one that was read last is gone; the entries.
local tip, list, counters = KEYS[1], KEYS[2], KEYS[3]
local last, at, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

if redis.call('EXISTS', KEYS[4], KEYS[5], KEYS[6]) > 0 then
  return 'UNSETTLED'
end
local first = 0
if last ~= '' then
  local position = redis.call('LINDEX', list, at) == last and at or redis.call('LPOS', list, last)
  first = position and position + 1 or 0
end
return {
  redis.call('HGET', tip, 'hash'),
  redis.call('LLEN', list),
  tonumber(redis.call('HGET', counters, 'mined') or '0'),
  first,
  redis.call('LRANGE', list, first, first + most - 1),
}
