-- open_sale.lua: put a product on sale by setting its stock, once.
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:released  set, ids of the orders whose units were given back (of V5 the entry)
-- KEYS[3]  {product}:sale      hash: initial, opened_at (ms since 1970), supply, counters, and the
--                              terms: starts_at, ends_at, limit_per_buyer; while it is paused or
--                              ended also state, and kept (the units that the stock had)
-- KEYS[4]  {product}:ledger    stream of claims (V5), with the consumer group `relay`
-- KEYS[5]  {product}:buyers    hash: user -> units claimed
-- ARGV[1]  units that can be claimed, an integer >= 0
-- ARGV[2]  start of the sale, ms since 1970, or "" for now
-- ARGV[3]  end of the sale, ms since 1970, or "" for never
-- ARGV[4]  units that one buyer may claim, 0 for any number
-- ARGV[5]  supply: the product's initial stock in PostgreSQL, read together with the units
-- ARGV[6]  "again" from who has drained the sale himself, else ""
-- ARGV[7]  how many ids follow
-- ARGV[8…] ids of cancelled orders whose units PostgreSQL had back when the units were read;
--          then pairs: user, units that he has already
-- returns   1  the sale is open
--           0  a sale is running on these terms (even if sold out); nothing changed: to overwrite
--              its stock would put units on sale that somebody already claimed
--          -1  a sale is running on other terms   -2  it is paused; resume_sale.lua goes on with it
--          -3  units of an earlier sale may be on their way to PostgreSQL still
--          A negative answer changed nothing.
if redis.call('EXISTS', KEYS[1]) == 1 then
  local terms = redis.call('HMGET', KEYS[3], 'starts_at', 'ends_at', 'limit_per_buyer')
  return (terms[1] == ARGV[2] and terms[2] == ARGV[3] and terms[3] == ARGV[4]) and 0 or -1
end
if ARGV[6] ~= 'again' then
  local sale = redis.call('HMGET', KEYS[3], 'state', 'kept')
  if sale[1] == 'paused' then
    return -2
  end
  -- What an ended sale kept is what PostgreSQL has, once all orders are written. Of a product that
  -- was never on sale nothing is sold; if something is, Redis has lost the sale.
  local left = redis.call('EXISTS', KEYS[3]) == 1 and sale[2] or ARGV[5]
  if left ~= ARGV[1] or redis.call('XLEN', KEYS[4]) > 0 then
    return -3
  end
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
local time = redis.call('TIME')
redis.call('HSET', KEYS[3], 'initial', ARGV[1], 'starts_at', ARGV[2], 'ends_at', ARGV[3],
  'limit_per_buyer', ARGV[4], 'supply', ARGV[5], 'accepted', 0, 'settled', 0, 'released', 0,
  'opened_at', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
redis.call('XGROUP', 'CREATE', KEYS[4], 'relay', '0', 'MKSTREAM')
local pairs_from = 8 + tonumber(ARGV[7])
for i = 8, pairs_from - 1 do
  redis.call('SADD', KEYS[2], ARGV[i])
end
for i = pairs_from, #ARGV, 2 do
  redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1])
end
return 1
