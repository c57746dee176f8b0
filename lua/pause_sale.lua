-- pause_sale.lua: nobody can claim from here on; claims that were made stay (all generations).
-- A sale without stock is a paused sale: open_sale.lua opens it again.
--
-- KEYS[1]  {product}:stock  integer, units that can be claimed
-- KEYS[2]  {product}:sale   hash: the terms of the sale
-- ARGV     none
-- returns  {starts_at, ends_at, limit_per_buyer} of the sale, with which to open it again; empty
--          where Redis knows nothing of it any more
redis.call('DEL', KEYS[1])
local terms = redis.call('HMGET', KEYS[2], 'starts_at', 'ends_at', 'limit_per_buyer')
if terms[3] then
  return terms
end
-- Redis lost the sale: buyers are to hear that it is not open, rather than that it never was.
redis.call('HSET', KEYS[2], 'paused', 1)
return {}
