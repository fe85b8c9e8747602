-- A sample of queue and chain joins those that are kept, unless somebody was first with its number.
-- KEYS samples  sorted set: 'NUMBER SAMPLE', by the number
-- ARGV[1] its number, ARGV[2] the sample, ARGV[3] how many numbers back samples are kept,
-- ARGV[4] the last number that the caller has
-- Returns what is kept after that number, in order.
local number, sample, kept, after = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

write_first('ZREMRANGEBYSCORE', samples, '-inf', tonumber(number) - kept)
-- what is yet to come was taken before the server's clock was set back
redis.call('ZREMRANGEBYSCORE', samples, '(' .. number, '+inf')
if redis.call('ZCOUNT', samples, number, number) == 0 then
  redis.call('ZADD', samples, number, number .. ' ' .. sample)
end
return redis.call('ZRANGEBYSCORE', samples, '(' .. after, '+inf')
