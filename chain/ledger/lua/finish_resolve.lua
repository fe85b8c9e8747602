-- A resolver ends: its jobs leave the list and get their outcome.
-- KEYS resolve_requests  list: job
-- KEYS resolver          hash: token, until (Unix ms), taken, began (Unix ms)
-- KEYS met               hash: tip (hash, 32 B), at (Unix ms)  of the last that ended
-- KEYS histograms        hash: resolved_OUTCOME, as in connect_block.lua
-- KEYS resolutions...    of its jobs, in order
-- ARGV[1] token, ARGV[2] outcome (JSON), ARGV[3] how long it is kept (s), ARGV[4] the tip that it
--   told the peers of, ARGV[5] the channel of those who wait, ARGV[6] its outcome as one
--   word; then its jobs, in order
-- Returns 1; 0 where its lease ended and another began: that one serves the jobs.
local token, outcome, keep_s, tip, channel, word = unpack(ARGV, 1, 6)

local found = redis.call('HMGET', resolver, 'token', 'began')
if found[1] ~= token then
  return 0
end
write_first('DEL', resolver)
for i = 7, #ARGV do
  redis.call('LREM', resolve_requests, 1, ARGV[i])
  redis.call('SET', resolutions[i - 6], outcome, 'EX', keep_s)
end
local now = read_clock()
redis.call('HSET', met, 'tip', tip, 'at', now)
local ms = math.max(now - tonumber(found[2]), 0)
local bucket = find_bucket(ms)
redis.call('HINCRBY', histograms, 'resolved_' .. word, ms)
redis.call('HINCRBY', histograms, 'resolved_' .. word .. ':' .. bucket, 1)
redis.call('PUBLISH', channel, 'resolved')
return 1
