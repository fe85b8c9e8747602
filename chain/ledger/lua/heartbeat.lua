-- A worker says that it lives and how many miners it can run; those that fell silent are forgotten.
-- KEYS workers  sorted set: worker -> until when it counts as alive (Unix ms)
-- KEYS sizes    hash: worker -> how many miners it can run
-- KEYS kernels  hash: worker -> the name of what it searches nonces with
-- ARGV[1] worker, ARGV[2] its size, -1 where it leaves, ARGV[3] its kernel, ARGV[4] how long a heartbeat
--   counts (ms)
-- Returns OK.
local worker, size, kernel, heartbeat_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])

local now = read_clock()
for _, silent in ipairs(list_over(workers, now, heartbeat_ms)) do
  redis.call('ZREM', workers, silent)
  redis.call('HDEL', sizes, silent)
  redis.call('HDEL', kernels, silent)
end
write_first('ZREM', workers, worker)
redis.call('HDEL', sizes, worker)
redis.call('HDEL', kernels, worker)
if size >= 0 then
  redis.call('ZADD', workers, now + heartbeat_ms, worker)
  redis.call('HSET', sizes, worker, size)
  redis.call('HSET', kernels, worker, kernel)
end
return 'OK'
