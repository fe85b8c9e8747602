-- Changes nothing: reads the next part of a list of what waits, and the tip at that moment. The rest
-- keeps its order whatever leaves such a list, so reading goes on after the entry that was read last.
-- KEYS tip       hash: hash (32 B)                see create_genesis.lua
-- KEYS waiting   list: pending or mine_requests   see submit.lua, request_mine.lua
-- KEYS counters  hash: mined (transactions, ever) see connect_block.lua
-- KEYS arrived, returned, leaving                 see adopt_branch.lua
-- ARGV[1] the entry that was read last, or '', ARGV[2] its position then, ARGV[3] how many to read
-- Returns UNSETTLED where the branch that was adopted last is not settled; else the tip's hash; the list's
-- length; how many transactions were mined, ever; the position of the first entry that follows, 0 also
-- where the one that was read last is gone; the entries.
local last, at, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

if redis.call('EXISTS', arrived, returned, leaving) > 0 then
  return 'UNSETTLED'
end
local first = 0
if last ~= '' then
  local position = redis.call('LINDEX', waiting, at) == last and at or redis.call('LPOS', waiting, last)
  first = position and position + 1 or 0
end
return {
  redis.call('HGET', tip, 'hash'),
  redis.call('LLEN', waiting),
  tonumber(redis.call('HGET', counters, 'mined') or '0'),
  first,
  redis.call('LRANGE', waiting, first, first + most - 1),
}
