-- decrement.lua: take units from a product's stock in one atomic step (generations 3 and 4).
--
-- KEYS[1]  {product}:stock  integer, units that can be claimed
-- ARGV[1]  units to take, a positive integer
-- returns  >= 0  the units that remain
--            -1  out of stock; nothing was taken
--            -2  no such product on sale: its stock was never opened. It is never loaded here:
--                PostgreSQL still counts the units that wait in the queue, so a lazy load oversells.
local stock = tonumber(redis.call('GET', KEYS[1]))
if not stock then
  return -2
end
if stock < tonumber(ARGV[1]) then
  return -1
end
return redis.call('DECRBY', KEYS[1], ARGV[1])
