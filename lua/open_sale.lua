-- open_sale.lua: put a product on sale by setting its stock, once.
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:released  set, ids of the V4 orders whose units were given back
-- KEYS[3]  {product}:sale      hash: initial, starts_at, ends_at, limit_per_buyer, and counters
-- KEYS[4]  {product}:ledger    stream of claims (V5), with the consumer group `relay`
-- KEYS[5]  {product}:buyers    hash: user -> units claimed
-- ARGV[1]  units that can be claimed, an integer >= 0
-- ARGV[2]  start of the sale, ms since 1970, or "" for now
-- ARGV[3]  end of the sale, ms since 1970, or "" for never
-- ARGV[4]  units that one buyer may claim, 0 for any number
-- ARGV[5…] pairs: user, units that he has already; where a sale is opened again
-- returns   1  the sale is open
--           0  a sale is running (even if sold out); nothing changed: to overwrite its stock
--              would put units on sale that somebody already claimed
if not redis.call('SET', KEYS[1], ARGV[1], 'NX') then
  return 0
end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('HSET', KEYS[3], 'initial', ARGV[1], 'starts_at', ARGV[2], 'ends_at', ARGV[3],
  'limit_per_buyer', ARGV[4], 'accepted', 0, 'settled', 0, 'released', 0)
redis.call('XGROUP', 'CREATE', KEYS[4], 'relay', '0', 'MKSTREAM')
for i = 5, #ARGV, 2 do
  redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1])
end
return 1
