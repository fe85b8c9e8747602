-- Pending grows by the new transactions of each request that fits; a request that does not leaves
-- no trace. A transaction known by its id is not added again, so a repeated call changes nothing.
-- Precondition: a request has 1 to 1,000 transactions, since Lua's stack holds 8,000 arguments.
-- KEYS[1] pending       list: id (32 B) .. accepted (13 digits, Unix ms) .. transaction (JSON)
-- KEYS[2] transactions  hash: id (32 B) -> 'index:position:root', see place_transactions.lua, or ''
-- KEYS[3] counters      hash: accepted, pending_bytes
-- KEYS[4], KEYS[5]      one for even days, one for odd ones; each expires whole when the day after its
--   own is over.        hash: digest of a key (32 B) -> fingerprint of its request (32 B)
-- ARGV[1] most pending transactions, ARGV[2] most pending bytes; then for each request:
--   digest of its idempotency key or '', its fingerprint, n, and n times: id, transaction
-- Returns for each request ACCEPTED, FULL, or KEY_REUSED where its key came with another request.
local pending, transactions, counters = KEYS[1], KEYS[2], KEYS[3]
local most, most_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
local ENTRY_HEAD = 45 -- bytes before the transaction in an entry
local DAY_S = 86400

local time = redis.call('TIME')
local accepted = string.format('%013d', time[1] * 1000 + math.floor(time[2] / 1000))
local day = math.floor(time[1] / DAY_S)
local today, other_day = KEYS[4 + day % 2], KEYS[5 - day % 2]
local count = redis.call('LLEN', pending)
local bytes = tonumber(redis.call('HGET', counters, 'pending_bytes') or '0')

-- the new ids of one request, each once, and the bytes that they add
local function survey(first, n)
  local ids, new, size, seen = {}, {}, 0, {}
  for k = 1, n do
    ids[k] = ARGV[first + 2 * (k - 1)]
  end
  local known = redis.call('HMGET', transactions, unpack(ids))
  for k, id in ipairs(ids) do
    if not known[k] and not seen[id] then
      local i = first + 2 * (k - 1)
      seen[id] = true
      new[#new + 1] = i
      size = size + ENTRY_HEAD + #ARGV[i + 1]
    end
  end
  return new, size
end

-- in one command each, which is cheaper here, in the log, and when the log is read again
local function append(new)
  local entries, states = {}, {}
  for k, i in ipairs(new) do
    entries[k] = ARGV[i] .. accepted .. ARGV[i + 1]
    states[2 * k - 1] = ARGV[i]
    states[2 * k] = ''
  end
  -- the list first: where memory has run out, the first write fails and nothing was changed
  redis.call('RPUSH', pending, unpack(entries))
  redis.call('HSET', transactions, unpack(states))
end

-- which request a key came with, false where none did: the other day is yesterday, or tomorrow where
-- the clock was set back
local function find(key)
  return redis.call('HGET', today, key) or redis.call('HGET', other_day, key)
end

local function remember(key, fingerprint)
  redis.call('HSET', today, key, fingerprint)
  if redis.call('TTL', today) < 0 then
    redis.call('EXPIREAT', today, (day + 2) * DAY_S)
  end
end

local answers, at = {}, 3
while at <= #ARGV do
  local key, fingerprint, n = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local known = key ~= '' and find(key)
  local new, size = survey(at + 3, n)
  if known and known ~= fingerprint then
    answers[#answers + 1] = 'KEY_REUSED'
  elseif #new > 0 and (count + #new > most or bytes + size > most_bytes) then
    answers[#answers + 1] = 'FULL'
  else
    if #new > 0 then
      append(new)
      redis.call('HINCRBY', counters, 'pending_bytes', size)
      redis.call('HINCRBY', counters, 'accepted', #new)
    end
    if key ~= '' and not known then
      remember(key, fingerprint)
    end
    count, bytes = count + #new, bytes + size
    answers[#answers + 1] = 'ACCEPTED'
  end
  at = at + 3 + 2 * n
end
return answers
