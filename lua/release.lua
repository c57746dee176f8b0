-- release.lua: give the units of one order back to the stock, once (generations 3 and 4).
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:released  set, ids of the orders whose units were given back
-- KEYS[3]  {product}:sale      hash: kept (the stock of a paused or ended sale)
-- ARGV[1]  order id
-- ARGV[2]  units to give back, a positive integer
-- returns   1  given back now
--           0  this order's units were given back before; nothing changed
--          -2  no such product on sale; nothing changed
local open = redis.call('EXISTS', KEYS[1]) == 1
if not open and redis.call('HEXISTS', KEYS[3], 'kept') == 0 then
  return -2
end
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then
  return 0
end
if open then
  redis.call('INCRBY', KEYS[1], ARGV[2])
else
  redis.call('HINCRBY', KEYS[3], 'kept', ARGV[2])
end
return 1
