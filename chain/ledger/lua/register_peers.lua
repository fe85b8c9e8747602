-- The peers grow by those that are new, all or none. One that is known is as one that is new: what
-- was wrong with it may be mended.
-- KEYS peers  hash: address -> what was seen of it (JSON), or ''
-- ARGV[1] most peers, then the addresses
-- Returns how many peers there are; -1 where they would be too many.
local most = tonumber(ARGV[1])

local new, seen = {}, {}
for i = 2, #ARGV do
  local address = ARGV[i]
  if not seen[address] and redis.call('HEXISTS', peers, address) == 0 then
    new[#new + 1] = address
  end
  seen[address] = true
end
if #new > 0 and redis.call('HLEN', peers) + #new > most then
  return -1
end
for address in pairs(seen) do
  redis.call('HSET', peers, address, '')
end
return redis.call('HLEN', peers)
