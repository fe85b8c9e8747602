-- Requests and entries are counted against two limits at once, or not at all. A limit is a bucket
-- that holds a second's worth. What asks for more than it holds may have it when it is full, and
-- whoever comes after waits for that; so a large batch is slow and not impossible.
-- KEYS bucket  hash: requests, entries -> when all that was taken is made up for (Unix ms);
--   at  when that was (Unix ms)
-- ARGV[1], ARGV[2] requests and entries a second, 0 for no limit; ARGV[3], ARGV[4] how many of each
-- Returns 0 where they were counted; else in how many ms there is room.
local SECOND = 1000

local now = read_clock()
local found = redis.call('HMGET', bucket, 'requests', 'entries', 'at')
local at = tonumber(found[3] or '0')
local paid, wait, last = {}, 0, now
for i = 1, 2 do
  local rate, count = tonumber(ARGV[i]), tonumber(ARGV[i + 2])
  local due = tonumber(found[i] or '0')
  local from = is_ahead(due, now, due - at) and due or now
  paid[i] = from
  if rate > 0 and count > 0 then
    local cost = count * SECOND / rate
    wait = math.max(wait, from - now - SECOND + math.min(cost, SECOND))
    paid[i] = from + cost
  end
  last = math.max(last, paid[i])
end
if wait > 0 then
  return math.ceil(wait)
end
write_first('DEL', bucket)
redis.call('HSET', bucket, 'requests', string.format('%.3f', paid[1]),
  'entries', string.format('%.3f', paid[2]), 'at', now)
redis.call('PEXPIRE', bucket, math.ceil(last - now) + SECOND)
return 0
