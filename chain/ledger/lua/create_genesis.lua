-- An empty ledger becomes the chain that holds the genesis block alone.
-- KEYS tip      hash: hash (32 B), index (decimal), record (128 B)
-- KEYS records  hash: index -> header (96 B) .. cumulative work (32 B, big-endian)
-- KEYS bodies   hash: index -> compressed JSON array of transactions
-- KEYS indexes  hash: block hash (32 B) -> index
-- KEYS rules    hash: see change_rules.lua
-- KEYS transactions, jobs   what only a ledger with a chain can have
-- ARGV[1] the genesis hash, ARGV[2] its record, ARGV[3] its compressed body, ARGV[4] signed,
-- ARGV[5] limits of block 2, ARGV[6] format, ARGV[7] reader
-- Returns CREATED; EXISTS where there is a genesis block; LOST where there is none, and was one.
local hash, record, body, signed, limits, format, reader = unpack(ARGV)

if redis.call('HEXISTS', records, '1') == 1 then
  return 'EXISTS'
end
if redis.call('EXISTS', tip, records, bodies, indexes, rules, transactions, jobs) > 0 then
  return 'LOST'
end
redis.call('HSET', rules, 'signed', signed, 'from:2', limits, 'revision', '1', 'format', format,
  'reader', reader)
redis.call('HSET', records, '1', record)
redis.call('HSET', bodies, '1', body)
redis.call('HSET', indexes, hash, '1')
redis.call('HSET', tip, 'hash', hash, 'index', '1', 'record', record)
return 'CREATED'
