-- Stands before every script: the server's clock, and the rule for moments that are stored.
-- Nothing is stored for longer than its own length. So a moment that is further ahead was stored
-- before the clock was set back; it counts as over. chain/moment.py is the same for Python.

local function read_clock() -- Unix ms
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function is_ahead(moment, now, length)
  return now < moment and moment <= now + length
end

-- those of a sorted set whose moments are still to come
local function list_ahead(set, now, length)
  return redis.call('ZRANGEBYSCORE', set, '(' .. now, now + length)
end

-- those whose moments are over, at most 1,000 of each kind
local function list_over(set, now, length)
  local over = redis.call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, 1000)
  local further = redis.call('ZRANGEBYSCORE', set, '(' .. now + length, '+inf', 'LIMIT', 0, 1000)
  for _, member in ipairs(further) do
    over[#over + 1] = member
  end
  return over
end

