-- An empty ledger becomes the chain that holds the genesis block alone.
-- KEYS[1] tip      hash: hash (32 B), index (decimal), record (128 B)
-- KEYS[2] records  hash: index -> header (96 B) .. cumulative work (32 B, big-endian)
-- KEYS[3] bodies   hash: index -> compressed JSON array of transactions
-- KEYS[4] indexes  hash: block hash (32 B) -> index
-- ARGV[1] the genesis hash, ARGV[2] its record, ARGV[3] its compressed body
-- Returns CREATED; EXISTS where this genesis is there; OTHER_NETWORK where another one is.
local tip, records, bodies, indexes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local hash, record, body = ARGV[1], ARGV[2], ARGV[3]

local first = redis.call('HGET', records, '1')
if first then
  return first == record and 'EXISTS' or 'OTHER_NETWORK'
end

redis.call('HSET', records, '1', record)
redis.call('HSET', bodies, '1', body)
redis.call('HSET', indexes, hash, '1')
redis.call('HSET', tip, 'hash', hash, 'index', '1', 'record', record)
return 'CREATED'
