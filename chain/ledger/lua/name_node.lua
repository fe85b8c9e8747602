-- The node has an address that rewards go to, drawn once.
-- KEYS[1] node  string
-- ARGV[1] the address to take where there is none
-- Returns it.
local known = redis.call('GET', KEYS[1])
if known then
  return known
end
write_first('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
