-- What several scripts share. scripts.py puts those parts that a script uses before its first line, folded
-- to one line, so that line numbers in the server's errors are those of the script's file. An empty line
-- ends a part; a part may not use another.

-- The server's clock, Unix ms.
local function read_clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Whether a stored moment is still to come. Nothing is stored for longer than its own length. So a
-- moment that is further ahead was stored before the clock was set back; it counts as over.
-- chain/moment.py is the same for Python.
local function is_ahead(moment, now, length)
  return now < moment and moment <= now + length
end

-- The members of a sorted set whose moments are still to come.
local function list_ahead(set, now, length)
  return redis.call('ZRANGEBYSCORE', set, '(' .. now, now + length)
end

-- Those whose moments are over, at most 1,000 of each kind.
local function list_over(set, now, length)
  local over = redis.call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, 1000)
  local further = redis.call('ZRANGEBYSCORE', set, '(' .. now + length, '+inf', 'LIMIT', 0, 1000)
  for _, member in ipairs(further) do
    over[#over + 1] = member
  end
  return over
end

-- redis.call, for a first write that frees memory or changes nothing. If memory has run out, the server lets
-- a script add data only after such a write. Mining has to go on, since it alone makes room, so every
-- script that miners and workers need writes this first.
local write_first = redis.call

-- The bucket of a histogram that counts `ms`: N for more than 2^(N-1) and at most 2^N.
local function find_bucket(ms)
  return ms <= 1 and 0 or math.ceil(math.log(ms) / math.log(2) - 1e-9)
end
