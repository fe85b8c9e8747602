-- The oldest entries were accepted later than now, by a clock that was set back since, so nobody
-- knows how old they are: their age counts from here. A transaction counts as one that is due.
-- KEYS pending, mine_requests, counters   see submit.lua, request_mine.lua
-- ARGV[1] the age of a transaction that is due (ms)
-- Returns how many were dated, 0 to 2.
local due_ms = tonumber(ARGV[1])

local now = read_clock()
local dated = 0
local function date(list, moment)
  local entry = redis.call('LINDEX', list, 0)
  if entry and tonumber(string.sub(entry, 33, 45)) > now then
    write_first('HDEL', counters, '')
    local stamp = string.format('%013d', moment)
    redis.call('LSET', list, 0, string.sub(entry, 1, 32) .. stamp .. string.sub(entry, 46))
    dated = dated + 1
  end
end
date(pending, now - due_ms)
date(mine_requests, now)
return dated
