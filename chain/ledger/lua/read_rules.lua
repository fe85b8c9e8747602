-- Changes nothing: reads what the ledger says of itself, at one moment.
-- KEYS tip      hash: hash (32 B), index (decimal)
-- KEYS records  hash: index -> record (128 B)
-- KEYS rules    hash: see change_rules.lua
-- Returns the genesis block's record ('' where there is none), the tip's index ('' likewise), and the
-- names and values of the rules, in turn.
local found = {
  redis.call('HGET', records, '1') or '',
  redis.call('HGET', tip, 'index') or '',
}
for _, text in ipairs(redis.call('HGETALL', rules)) do
  found[#found + 1] = text
end
return found
