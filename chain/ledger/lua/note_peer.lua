-- What was seen of a peer is noted, unless it was removed meanwhile.
-- KEYS peers  hash: address -> what was seen of it (JSON), or ''
-- ARGV[1] the address, ARGV[2] the note
-- Returns 1 where it was noted, else 0.
if redis.call('HEXISTS', peers, ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', peers, ARGV[1], ARGV[2])
return 1
