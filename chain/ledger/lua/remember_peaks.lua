-- How many miners were needed lately is remembered.
-- KEYS peaks  string, as chain/scaling/policy.py writes it
-- ARGV[1] it
-- Returns OK.
write_first('DEL', peaks)
redis.call('SET', peaks, ARGV[1])
return 'OK'
