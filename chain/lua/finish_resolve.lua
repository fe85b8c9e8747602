-- A resolver ends: its jobs leave the list and get their outcome.
-- KEYS[1] resolve_requests  list: job
-- KEYS[2] resolver          hash: token, until (Unix ms), taken
-- KEYS[3] met               hash: tip (hash, 32 B), at (Unix ms)  of the last that ended
-- KEYS[4] and on: the resolutions of its jobs, in order
-- ARGV[1] token, ARGV[2] outcome (JSON), ARGV[3] how long it is kept (s), ARGV[4] the tip that it
--   told the peers of, ARGV[5] the channel of those who wait; then its jobs, in order
-- Returns 1; 0 where its lease ended and another began: that one serves the jobs.
local requests, resolver, met = KEYS[1], KEYS[2], KEYS[3]
local token, outcome, keep_s, tip, channel = unpack(ARGV, 1, 5)

if redis.call('HGET', resolver, 'token') ~= token then
  return 0
end
redis.call('DEL', resolver)
for i = 6, #ARGV do
  redis.call('LREM', requests, 1, ARGV[i])
  redis.call('SET', KEYS[i - 2], outcome, 'EX', keep_s)
end
local time = redis.call('TIME')
redis.call('HSET', met, 'tip', tip, 'at', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('PUBLISH', channel, 'resolved')
return 1
