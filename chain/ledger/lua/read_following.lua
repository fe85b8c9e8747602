-- Pending transactions after those of the candidate, for the block that follows it.
-- KEYS candidate  hash: prefix (88 B), count  see open_candidate.lua
-- KEYS pending    list                        see submit.lua
-- ARGV[1] prefix, ARGV[2] the first and ARGV[3] the last of them, from 0
-- Returns the entries; STALE where the candidate is another or gone.
local prefix, first, last = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local found = redis.call('HMGET', candidate, 'prefix', 'count')
if found[1] ~= prefix then
  return 'STALE'
end
local count = tonumber(found[2])
return redis.call('LRANGE', pending, count + first, count + last)
