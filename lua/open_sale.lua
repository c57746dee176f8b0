-- open_sale.lua: put a product on sale by setting its stock, once.
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:released  set, ids of the orders whose units were given back
-- ARGV[1]  units that can be claimed, an integer >= 0
-- returns   1  the sale is open
--           0  a sale is running (even if sold out); nothing changed: to overwrite its stock
--              would put units on sale that somebody already claimed
if redis.call('SET', KEYS[1], ARGV[1], 'NX') then
  redis.call('DEL', KEYS[2])
  return 1
end
return 0
