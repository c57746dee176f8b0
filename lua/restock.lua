-- restock.lua: add to a sale the units that PostgreSQL got since the last call (all generations).
-- The argument is the total supply and not the difference, so calls may be repeated, late or
-- reordered.
--
-- KEYS[1]  {product}:stock  integer, units that can be claimed
-- KEYS[2]  {product}:sale   hash: initial, supply; kept (the stock of a paused or ended sale)
-- ARGV[1]  supply: the product's initial stock in PostgreSQL, which never decreases
-- returns  >= 0  units added by this call
--            -2  Redis has no such sale; its opening reads the supply again
local supply = tonumber(redis.call('HGET', KEYS[2], 'supply'))
local open = redis.call('EXISTS', KEYS[1]) == 1
if not supply or not (open or redis.call('HEXISTS', KEYS[2], 'kept') == 1) then
  return -2
end
local units = tonumber(ARGV[1]) - supply
if units <= 0 then
  return 0
end
if open then
  redis.call('INCRBY', KEYS[1], units)
else
  redis.call('HINCRBY', KEYS[2], 'kept', units)
end
redis.call('HINCRBY', KEYS[2], 'initial', units)
redis.call('HSET', KEYS[2], 'supply', ARGV[1])
return units
