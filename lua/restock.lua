-- restock.lua: add to a sale what PostgreSQL has got since the sale last knew. It is told the
-- supply in all and not the difference, so it may come twice, late, or after a later one.
--
-- KEYS[1]  {product}:stock  integer, units that can be claimed
-- KEYS[2]  {product}:sale   hash: initial, supply; kept (the stock of a paused or ended sale)
-- ARGV[1]  supply: the product's initial stock in PostgreSQL, which only ever grows
-- returns  >= 0  units that were added now
--            -2  Redis knows of no such sale: who opens it reads the supply anew
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
