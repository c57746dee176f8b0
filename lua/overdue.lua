-- overdue.lua: take claims that were sent and have stayed unsettled too long, to resend them (V5).
-- It is atomic: of two concurrent sweeps, only one takes a claim.
--
-- KEYS[1]  {product}:ledger  stream of claims, with the consumer group `relay`. Its pending list
--                            has the time of the last send and the number of sends of each claim
-- ARGV[1]  ledger entry to start with: "-" for the first one, "(entry" for the one after it
-- ARGV[2]  number of claims to check, at most 4,000
-- ARGV[3…] milliseconds since the last send after which a claim that was sent once, twice, … is
--          overdue. The last figure also holds for claims that were sent more often
-- returns  {ARGV[1] of the next call, or "" at the end; then for each claim that was taken
--          {entry id, user id, units, correlation id}}
local waits = {}
for i = 3, #ARGV do
  waits[i - 2] = tonumber(ARGV[i])
end
-- No IDLE argument: it would scan all claims in one step if none is overdue.
local pending = redis.pcall('XPENDING', KEYS[1], 'relay', ARGV[1], '+', ARGV[2])
if pending.err then
  -- Redis has lost the ledger, so there is nothing to send. `flashsale rebuild` helps.
  return string.find(pending.err, 'NOGROUP', 1, true) and {''} or pending
end
local overdue = {}
for _, claim in ipairs(pending) do
  local idle, sent = claim[3], math.max(1, claim[4])
  if idle >= waits[math.min(sent, #waits)] then
    overdue[#overdue + 1] = claim[1]
  end
end
local answer = {#pending == tonumber(ARGV[2]) and '(' .. pending[#pending][1] or ''}
if #overdue > 0 then
  for _, entry in ipairs(redis.call('XCLAIM', KEYS[1], 'relay', 'relay', 0, unpack(overdue))) do
    local fields = entry[2]
    answer[#answer + 1] = {entry[1], fields[2], fields[4], fields[6]}
  end
end
return answer
