-- The mine requests grow by one job; a job known by its id is not added again.
-- KEYS mine_requests  list: job (32 hex digits) .. requested (13 digits, Unix ms)
-- KEYS jobs           hash: job -> 'index:block hash (64 hex digits)', or '' while it waits
-- KEYS records        hash: index -> header (96 B) .. cumulative work
-- KEYS tip            hash, without which there is no chain
-- ARGV[1] most waiting requests, ARGV[2] the job, ARGV[3] another job that the request may have come
--   as before, or ''
-- Returns ACCEPTED, FULL, NO_CHAIN, or OLD_KEY where the job is new and the other one waits, or is of a block
-- of the last two days: no key is known for longer.
local most, job, old_job = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local KNOWN_MS = 2 * 86400 * 1000
local now = read_clock()

-- whether the job waits, or the block is young that is where its own was connected
local function is_fresh(known)
  local record = known ~= '' and redis.call('HGET', records, string.match(known, '^%d+'))
  local timestamp = 0
  for byte = 17, record and 24 or 0 do -- of the header
    timestamp = timestamp * 256 + string.byte(record, byte)
  end
  return known == '' or now - timestamp < KNOWN_MS
end

if redis.call('EXISTS', tip) == 0 then
  return 'NO_CHAIN'
end
if redis.call('HEXISTS', jobs, job) == 1 then
  return 'ACCEPTED'
end
local known = old_job ~= '' and redis.call('HGET', jobs, old_job)
if known and is_fresh(known) then
  return 'OLD_KEY'
end
if redis.call('LLEN', mine_requests) >= most then
  return 'FULL'
end
redis.call('RPUSH', mine_requests, job .. string.format('%013d', now))
redis.call('HSET', jobs, job, '')
return 'ACCEPTED'
