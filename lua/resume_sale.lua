-- resume_sale.lua: resume a paused sale with the units that were put aside, and those that were
-- given back meanwhile (all generations).
--
-- KEYS[1]  {product}:stock  integer, units that can be claimed
-- KEYS[2]  {product}:sale   hash: state, kept (the units put aside)
-- ARGV     none
-- returns   1  the sale is open again
--           0  the sale is running; nothing changed
--          -1  the sale has ended
--          -2  Redis has no such sale
--          -3  Redis has lost the units of the sale; only `flashsale rebuild` brings them back
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
local sale = redis.call('HMGET', KEYS[2], 'state', 'kept')
if sale[1] == 'ended' then
  return -1
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  return -2
end
if not sale[2] then
  return -3
end
redis.call('SET', KEYS[1], sale[2])
redis.call('HDEL', KEYS[2], 'state', 'kept')
return 1
