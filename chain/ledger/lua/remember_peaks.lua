-- How many miners were needed lately is remembered.
-- KEYS[1] peaks  string, as chain/scaling/policy.py writes it
-- ARGV[1] it
-- Returns OK.
redis.call('DEL', KEYS[1]) -- first, for the reason given in claim_range.lua
redis.call('SET', KEYS[1], ARGV[1])
return 'OK'
