-- pause_sale.lua: stop claims, for now or for good (all generations). Existing claims stay. The
-- stock is put aside, so that every unit can still be counted.
--
-- KEYS[1]  {product}:stock  integer, units that can be claimed
-- KEYS[2]  {product}:sale   hash: the terms of the sale; state, kept (the units put aside)
-- KEYS[3]  {product}:unrecorded  hash: the pauses that the audit in PostgreSQL does not have yet;
--          only with ARGV[3] and [4]
-- ARGV[1]  paused or ended
-- ARGV[2]  "lost" to mark a sale as paused even if Redis has lost it, otherwise "". Buyers are then
--          told that the sale is not open, rather than that there is none
-- ARGV[3]  a field of `unrecorded`, unless the audit has the action. The field is written if the
--          code is not negative, in the same step. If it is there already, it stays as it is
-- ARGV[4]  what the field says: JSON, after the time of Redis in ms since 1970 and a blank
-- returns  {code, starts_at, ends_at, limit_per_buyer, generation}, the terms nil if Redis has
--          none; code:
--           1  done now
--           0  done before
--          -1  the sale has ended, so it cannot be paused
--          -2  Redis has no such sale
local sale = redis.call('HMGET', KEYS[2], 'state', 'initial', 'starts_at', 'ends_at',
  'limit_per_buyer', 'generation')
local stock = redis.call('GET', KEYS[1])
local code = 1
if not stock and not sale[2] then
  code = -2
elseif sale[1] == ARGV[1] then
  code = 0
elseif sale[1] == 'ended' then
  code = -1
end
if code == 1 or (code == -2 and ARGV[2] == 'lost') then
  redis.call('HSET', KEYS[2], 'state', ARGV[1])
end
if stock then
  redis.call('HSET', KEYS[2], 'kept', stock)
  redis.call('DEL', KEYS[1])
end
if ARGV[3] and code >= 0 then
  local time = redis.call('TIME')
  local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('HSETNX', KEYS[3], ARGV[3], at .. ' ' .. ARGV[4])
end
return {code, sale[3], sale[4], sale[5], sale[6]}
