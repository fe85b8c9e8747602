-- The next transactions of the candidate get their places, before its block is connected: that
-- script would keep the server from others for too long. A place counts once the block at its index
-- has its root, so one of a candidate that was dropped says nothing.
-- KEYS candidate     hash: prefix (88 B), count, placed, bytes       see open_candidate.lua
-- KEYS pending       list                                            see submit.lua
-- KEYS transactions  hash: id (32 B) -> 'index:position:root', or '' see submit.lua
-- ARGV[1] prefix, ARGV[2] index, ARGV[3] the first 8 bytes of the Merkle root, ARGV[4] how many
-- Returns how many have their places by now; STALE where the candidate is another or gone.
local prefix, index, root, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local found = redis.call('HMGET', candidate, 'prefix', 'count', 'placed', 'bytes')
if found[1] ~= prefix then
  return 'STALE'
end
local count, placed, bytes = tonumber(found[2]), tonumber(found[3]), tonumber(found[4])
local last = math.min(placed + most, count) - 1
if placed > last then
  return placed
end
local now = read_clock()
local places, waited, sum = {}, {}, 0
for i, entry in ipairs(redis.call('LRANGE', pending, placed, last)) do
  bytes = bytes + #entry
  local ms = math.max(now - tonumber(string.sub(entry, 33, 45)), 0)
  local bucket = find_bucket(ms)
  waited[bucket] = (waited[bucket] or 0) + 1
  sum = sum + ms
  places[2 * i - 1] = string.sub(entry, 1, 32)
  places[2 * i] = index .. ':' .. (placed + i - 1) .. ':' .. root
end
write_first('HDEL', candidate, 'placed', 'bytes')
redis.call('HSET', candidate, 'placed', last + 1, 'bytes', bytes)
for bucket, count_waited in pairs(waited) do
  redis.call('HINCRBY', candidate, 'waited:' .. bucket, count_waited)
end
redis.call('HINCRBY', candidate, 'waited', sum)
redis.call('HSET', transactions, unpack(places))
return last + 1
