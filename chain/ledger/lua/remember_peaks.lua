-- How many miners were needed lately is remembered.
-- KEYS[1] peaks  string, as chain/scaling/policy.py writes it
-- ARGV[1] it
-- Returns OK.
write_first('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1])
return 'OK'
