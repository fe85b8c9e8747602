-- An empty ledger becomes the chain that holds the genesis block alone.
-- KEYS[1] tip      hash: hash (32 B), index (decimal), record (128 B)
-- KEYS[2] records  hash: index -> header (96 B) .. cumulative work (32 B, big-endian)
-- KEYS[3] bodies   hash: index -> compressed JSON array of transactions
-- KEYS[4] indexes  hash: block hash (32 B) -> index
-- KEYS[5] rules    hash: signed ('1' where every transaction has to be, else '0')
-- ARGV[1] the genesis hash, ARGV[2] its record, ARGV[3] its compressed body, ARGV[4] signed
-- Returns CREATED; EXISTS where this genesis is there; OTHER_NETWORK where another one is;
-- OTHER_RULES where it was begun with other rules.
local tip, records, bodies, indexes, rules = unpack(KEYS)
local hash, record, body, signed = unpack(ARGV)

local first = redis.call('HGET', records, '1')
if first then
  if first ~= record then
    return 'OTHER_NETWORK'
  end
  return (redis.call('HGET', rules, 'signed') or '0') == signed and 'EXISTS' or 'OTHER_RULES'
end

redis.call('HSET', rules, 'signed', signed)
redis.call('HSET', records, '1', record)
redis.call('HSET', bodies, '1', body)
redis.call('HSET', indexes, hash, '1')
redis.call('HSET', tip, 'hash', hash, 'index', '1', 'record', record)
return 'CREATED'
