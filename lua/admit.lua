-- admit.lua: let a called user in, who can claim then. A repeated call gives the same answer.
--
-- KEYS[1]  {product}:door    hash, see advance.lua
-- KEYS[2]  {product}:calls   sorted set, see advance.lua
-- KEYS[3]  {product}:inside  sorted set: users inside, by until when (ms since 1970)
-- KEYS[4]  {product}:used    hash: the place with which a user was let in last, by user
-- KEYS[5]  {product}:stock   integer, units that can be claimed
-- ARGV[1]  user id
-- ARGV[2]  place
-- ARGV[3]  epoch of the place
-- ARGV[4]  "look" to let nobody in, and learn only whether the place has lapsed; otherwise ""
-- returns  {1, until}    the user is inside until then (ms since 1970)
--          {0, serving}  it is not their turn: their place is not below `serving`
--          {-1}          the place has lapsed: the user was inside with it, or was called too long
--                        ago. The places of a user only grow, so an earlier one has lapsed, too
--          {-2}          for a moment, as many are inside as may be; or the caller only looks
--          {-3}          no room of this epoch guards the sale
local door = redis.call('HMGET', KEYS[1], 'epoch', 'serving', 'max_inside', 'admission_ms', 'call_ms')
if door[1] ~= ARGV[3] then
  return {-3}
end
local place, serving = tonumber(ARGV[2]), tonumber(door[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
local ends = redis.call('ZSCORE', KEYS[3], ARGV[1])
if ends then -- not longer, because otherwise who never buys could stay
  return {1, tonumber(ends)}
end
if place >= serving then
  return {0, serving}
end
local used = tonumber(redis.call('HGET', KEYS[4], ARGV[1]) or -1)
local called = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[2], '+inf', 'LIMIT', 0, 1)[1]
if place <= used or (called and now - tonumber(called) > tonumber(door[5])) then
  return {-1}
end
if ARGV[4] == 'look' then
  return {-2}
end
local stock = tonumber(redis.call('GET', KEYS[5]) or 0)
if redis.call('ZCARD', KEYS[3]) >= math.min(tonumber(door[3]), math.ceil(1.5 * stock)) then
  return {-2}
end
ends = now + tonumber(door[4])
redis.call('ZADD', KEYS[3], ends, ARGV[1])
redis.call('HSET', KEYS[4], ARGV[1], place)
redis.call('HINCRBY', KEYS[1], 'admitted', 1)
return {1, ends}
