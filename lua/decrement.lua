-- decrement.lua: take units from a product's stock in one atomic step (V3 and V4), or check whether
-- the sale is open (V1 and V2, which take units in PostgreSQL).
--
-- KEYS[1]  {product}:stock  integer, units that can be claimed
-- KEYS[2]  {product}:sale   hash: starts_at, ends_at (ms since 1970, "" for none), generation
--                           (1 to 5; "" until the first purchase decides it)
-- ARGV[1]  units to take, a positive integer; 0 to take none
-- ARGV[2]  generation that sells, 1 to 4; an undecided sale belongs to it from now on
-- returns  {units that remain}
--          {-1}  out of stock
--          {-2}  no such product on sale: its stock was never opened. It is never loaded here,
--                because PostgreSQL still counts units that are in the queue: that would oversell.
--          {-3}  the sale is not open, or paused
--          {-6, generation}  another generation sells this product
--          A negative answer changes nothing.
local sale = redis.call('HMGET', KEYS[2], 'starts_at', 'ends_at', 'generation')
local starts, ends, generation = sale[1] or '', sale[2] or '', sale[3] or ''
if generation ~= '' and generation ~= ARGV[2] then
  return {-6, tonumber(generation)}
end
local stock = tonumber(redis.call('GET', KEYS[1]))
if not stock then
  return {redis.call('EXISTS', KEYS[2]) == 1 and -3 or -2}
end
if starts ~= '' or ends ~= '' then
  local time = redis.call('TIME')
  local ms = time[1] * 1000 + math.floor(time[2] / 1000)
  if (starts ~= '' and ms < tonumber(starts)) or (ends ~= '' and ms >= tonumber(ends)) then
    return {-3}
  end
end
if stock < tonumber(ARGV[1]) then
  return {-1}
end
if generation == '' then
  redis.call('HSET', KEYS[2], 'generation', ARGV[2])
end
if ARGV[1] == '0' then
  return {stock} -- no write, because a Redis that is full or read-only rejects it
end
return {redis.call('DECRBY', KEYS[1], ARGV[1])}
