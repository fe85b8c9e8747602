-- Pending grows by the new transactions of each request that fits; a request that does not leaves
-- no trace. A transaction known by its id is not added again, so a repeated call changes nothing.
-- Precondition: all requests together have at most 1,000 transactions, since Lua's stack holds 8,000
-- arguments and the server serves nobody else meanwhile.
-- KEYS pending       list: id (32 B) .. accepted (13 digits, Unix ms) .. transaction (JSON)
-- KEYS transactions  hash: id (32 B) -> 'index:position:root', see place_transactions.lua, or ''
-- KEYS counters      hash: accepted, pending_bytes
-- KEYS idempotency_even, idempotency_odd   hash: digest of a key (32 B) -> fingerprint of its request
--   (32 B); one for even days, one for odd ones: each expires whole when the day after its own is over
-- KEYS tip           hash, without which there is no chain that would ever take them
-- KEYS arrived, returned, leaving   see adopt_branch.lua
-- ARGV[1] most pending transactions, ARGV[2] most pending bytes; then for each request:
--   digest of its idempotency key or '', that of another key which it may have come with before or
--   '', its fingerprint, n, the n ids, the n transactions
-- Returns for each request ACCEPTED, FULL, KEY_REUSED where its key came with another request, or
-- OLD_KEY where its key is new and the other one is known. Behind ACCEPTED stand a blank and how many
-- of its transactions were known already, where that are any.
-- NO_CHAIN where there is none; nothing is accepted.
local most, most_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
local ENTRY_HEAD = 45 -- bytes before the transaction in an entry
local DAY_S = 86400
local argv, last = ARGV, #ARGV -- a global takes longer, and a batch has thousands

if redis.call('EXISTS', tip) == 0 then
  return 'NO_CHAIN'
end
local now = read_clock()
local accepted = string.format('%013d', now)
local day = math.floor(now / 1000 / DAY_S)
local today, other_day = idempotency_even, idempotency_odd
if day % 2 == 1 then
  today, other_day = other_day, today
end
local room = most - redis.call('LLEN', pending)
local is_unsettled = redis.call('EXISTS', arrived, returned, leaving) > 0
if is_unsettled then
  room = room - redis.call('LLEN', returned) + redis.call('SCARD', leaving)
end
local room_bytes = most_bytes - tonumber(redis.call('HGET', counters, 'pending_bytes') or '0')

local taken, named = {}, {} -- by this call, and not yet written: ids, and keys with fingerprints
local entries, places, count, bytes = {}, {}, 0, 0

-- the n ids from `from` on that are new, as positions, and the bytes that they add
local function survey(from, n)
  local new, size = {}, 0
  local found = redis.call('HMGET', transactions, unpack(argv, from, from + n - 1))
  local placed = is_unsettled and redis.call('HMGET', arrived, unpack(argv, from, from + n - 1)) or {}
  for i = from, from + n - 1 do
    local id = argv[i]
    local at = i - from + 1
    if not found[at] and not placed[at] and not taken[id] then
      taken[id] = true
      new[#new + 1] = i
      size = size + ENTRY_HEAD + #argv[i + n]
    end
  end
  return new, size
end

-- which request a key came with, false where none did: the other day is yesterday, or tomorrow where
-- the clock was set back
local function find(key)
  return named[key] or redis.call('HGET', today, key) or redis.call('HGET', other_day, key)
end

local answers, at = {}, 3
while at <= last do
  local key, old_key, fingerprint, n = argv[at], argv[at + 1], argv[at + 2], tonumber(argv[at + 3])
  local known = key ~= '' and find(key)
  local new, size = survey(at + 4, n)
  local answer = 'ACCEPTED'
  if known and known ~= fingerprint then
    answer = 'KEY_REUSED'
  elseif not known and old_key ~= '' and find(old_key) then
    answer = 'OLD_KEY'
  elseif #new > 0 and (count + #new > room or bytes + size > room_bytes) then
    answer = 'FULL'
  end
  if answer == 'ACCEPTED' then
    for _, i in ipairs(new) do
      count = count + 1
      entries[count] = argv[i] .. accepted .. argv[i + n]
      places[2 * count - 1] = argv[i]
      places[2 * count] = ''
    end
    bytes = bytes + size
    if key ~= '' and not known then
      named[key] = fingerprint
    end
    if #new < n then
      answer = answer .. ' ' .. n - #new
    end
  else
    for _, i in ipairs(new) do
      taken[argv[i]] = nil
    end
  end
  answers[#answers + 1] = answer
  at = at + 4 + 2 * n
end

-- One command each, which is cheaper here, in the log, and when the log is read again. The list first:
-- where memory has run out, the first write fails and nothing was changed.
if count > 0 then
  redis.call('RPUSH', pending, unpack(entries))
  redis.call('HSET', transactions, unpack(places))
  redis.call('HINCRBY', counters, 'pending_bytes', bytes)
  redis.call('HINCRBY', counters, 'accepted', count)
end
for key, fingerprint in pairs(named) do
  redis.call('HSET', today, key, fingerprint)
end
if next(named) then
  local left_s = redis.call('TTL', today)
  if left_s < 0 or left_s > 2 * DAY_S then -- none yet, or one by a clock that was set back since
    redis.call('EXPIREAT', today, (day + 2) * DAY_S)
  end
end
return answers
