-- Changes nothing: reads queue, tip, candidate and fleet as they are at one moment.
-- KEYS pending, mine_requests, counters   see submit.lua, request_mine.lua
-- KEYS tip, records, candidate            see create_genesis.lua, open_candidate.lua
-- KEYS miners, rates                      see claim_range.lua
-- KEYS workers, sizes, kernels            see heartbeat.lua
-- KEYS peaks                              see remember_peaks.lua
-- KEYS followed                           see track.lua
-- KEYS arrived, returned, leaving         see adopt_branch.lua
-- ARGV[1] how long a lease counts (ms), ARGV[2] how long a heartbeat does, ARGV[3] most entries to return
--   that follow the candidate's, ARGV[4] how many blocks judge the time of the next
-- Returns now (Unix ms), pending count, pending bytes, oldest pending (Unix ms or ''), mine
-- requests, oldest mine request (entry or ''), the tip's record, the candidate's prefix, count,
-- job and reward ('' each where there is none), live miners, miners that live workers can run,
-- the sum of the live miners' hashes a second, the rate that a miner last had, the microseconds that
-- a block last cost besides its search, and for each live worker its kernel and its miners, in turn;
-- the peaks; 1 where a branch is not settled yet, else 0; the records of the last ARGV[4] blocks; how many
-- requests are tracked; the pending entries after the candidate's, none if they are more than ARGV[3].
local lease_ms, heartbeat_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local most, span = tonumber(ARGV[3]), tonumber(ARGV[4])

local now = read_clock()
local is_unsettled = redis.call('EXISTS', arrived, returned, leaving) > 0
local waiting = redis.call('LLEN', pending)
local first = is_unsettled and redis.call('LINDEX', returned, 0) or redis.call('LINDEX', pending, 0)
if is_unsettled then
  waiting = waiting + redis.call('LLEN', returned) - redis.call('SCARD', leaving)
end
local oldest = waiting > 0 and string.sub(first, 33, 45) or ''
local open = redis.call('HMGET', candidate, 'prefix', 'count', 'job', 'reward')
local last = tonumber(redis.call('HGET', tip, 'index') or '0')
local indexes, recent = {}, {}
for index = math.max(1, last - span + 1), last do
  indexes[#indexes + 1] = index
end
if last > 0 then
  recent = redis.call('HMGET', records, unpack(indexes))
end
local count, following = tonumber(open[2] or '0'), {}
if open[1] and not is_unsettled and waiting > count and waiting - count <= most then
  following = redis.call('LRANGE', pending, count, -1)
end
local leases = list_ahead(miners, now, lease_ms)
local size, rate, tools = 0, 0, {}
for _, worker in ipairs(list_ahead(workers, now, heartbeat_ms)) do
  local runs = tonumber(redis.call('HGET', sizes, worker) or '0')
  size = size + runs
  tools[#tools + 1] = redis.call('HGET', kernels, worker) or ''
  tools[#tools + 1] = runs
end
for _, lease in ipairs(leases) do
  rate = rate + tonumber(redis.call('HGET', rates, lease) or '0')
end
return {
  now,
  waiting,
  tonumber(redis.call('HGET', counters, 'pending_bytes') or '0'),
  oldest,
  redis.call('LLEN', mine_requests),
  redis.call('LINDEX', mine_requests, 0) or '',
  redis.call('HGET', tip, 'record') or '',
  open[1] or '', open[2] or '', open[3] or '', open[4] or '',
  #leases, size, rate,
  tonumber(redis.call('HGET', rates, 'last') or '0'),
  tonumber(redis.call('HGET', rates, 'cost') or '0'),
  tools,
  redis.call('GET', peaks) or '',
  is_unsettled and 1 or 0,
  recent,
  redis.call('HLEN', followed),
  following,
}
