-- One step of what adopt_branch.lua left: the branch's transactions get their places, then pending loses
-- those that the branch holds and gains those of stale blocks at its head. Nothing that anybody reads
-- changes: a place counts where it stands, and what waits is counted over all lists. No candidate is open
-- meanwhile, so the head of pending may change without the tip.
-- KEYS arrived, returned, leaving         see adopt_branch.lua
-- KEYS pending, transactions, counters    see submit.lua
-- ARGV[1] where the last step ended in arrived, '0' at first; ARGV[2] how many are moved, about
-- Returns where it ended in arrived; '' where nothing is left.
local cursor, most = ARGV[1], tonumber(ARGV[2])

if redis.call('EXISTS', arrived) == 1 then
  local found = redis.call('HSCAN', arrived, cursor, 'COUNT', most)
  local fields, ids = found[2], {}
  for i = 1, #fields, 2 do
    ids[#ids + 1] = fields[i]
  end
  if #ids > 0 then
    write_first('HDEL', arrived, unpack(ids))
    redis.call('HSET', transactions, unpack(fields))
  end
  return found[1]
end

local left, before, behind =
  redis.call('SCARD', leaving), redis.call('LLEN', returned), redis.call('LLEN', pending)
if left == 0 and before == 0 then
  return ''
end

-- all that leave have left: the shorter list is moved to the other
if left == 0 and before <= behind then
  local backwards = {}
  local part = redis.call('LRANGE', returned, -most, -1)
  for i = #part, 1, -1 do
    backwards[#backwards + 1] = part[i]
  end
  write_first('LTRIM', returned, 0, -most - 1)
  redis.call('LPUSH', pending, unpack(backwards))
  return '0'
end
if behind == 0 then
  redis.call('DEL', leaving)
  if before > 0 then
    redis.call('RENAME', returned, pending)
  end
  return ''
end

-- the head of pending goes to the end of returned, without those that leave
local entries, ids = redis.call('LRANGE', pending, 0, most - 1), {}
for i, entry in ipairs(entries) do
  ids[i] = string.sub(entry, 1, 32)
end
local leaves = redis.call('SMISMEMBER', leaving, unpack(ids))
local stay, gone, bytes = {}, {}, 0
for i, entry in ipairs(entries) do
  if leaves[i] == 1 then
    gone[#gone + 1] = ids[i]
    bytes = bytes + #entry
  else
    stay[#stay + 1] = entry
  end
end
write_first('LTRIM', pending, most, -1)
if #gone > 0 then
  redis.call('SREM', leaving, unpack(gone))
  redis.call('HINCRBY', counters, 'pending_bytes', -bytes)
end
if #stay > 0 then
  redis.call('RPUSH', returned, unpack(stay))
end
return '0'
