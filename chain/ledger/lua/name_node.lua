-- The node has an address that rewards go to, drawn once.
-- KEYS node  string
-- ARGV[1] the address to take where there is none
-- Returns it.
local known = redis.call('GET', node)
if known then
  return known
end
write_first('DEL', node)
redis.call('SET', node, ARGV[1])
return ARGV[1]
