-- release.lua: give the units of orders back to the stock, once per order (V3 and V4).
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:released  set, ids of the orders whose units were given back
-- KEYS[3]  {product}:sale      hash: kept (the stock of a paused or ended sale)
-- ARGV     pairs: order id, its units (a positive integer); some hundreds at most, because Redis
--          serves no other client meanwhile
-- returns  >= 0  units given back by this call; earlier ones count as 0
--            -2  no such product on sale; nothing changed
local open = redis.call('EXISTS', KEYS[1]) == 1
if not open and redis.call('HEXISTS', KEYS[3], 'kept') == 0 then
  return -2
end
local units = 0
for i = 1, #ARGV, 2 do
  if redis.call('SADD', KEYS[2], ARGV[i]) == 1 then
    units = units + tonumber(ARGV[i + 1])
  end
end
if units == 0 then
  return 0
end
if open then
  redis.call('INCRBY', KEYS[1], units)
else
  redis.call('HINCRBY', KEYS[3], 'kept', units)
end
return units
