-- release.lua: give the units of one order back to the stock, once (generation 4).
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:released  set, ids of the orders whose units were given back
-- ARGV[1]  order id
-- ARGV[2]  units to give back, a positive integer
-- returns   1  given back now
--           0  this order's units were given back before; nothing changed
--          -2  no such product on sale; nothing changed
if redis.call('EXISTS', KEYS[1]) == 0 then
  return -2
end
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then
  return 0
end
redis.call('INCRBY', KEYS[1], ARGV[2])
return 1
