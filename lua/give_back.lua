-- give_back.lua: give the units of an order that was CONFIRMED or RESERVED, and then CANCELLED, back
-- to the stock, once (V5).
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:ledger    stream of claims that are neither settled, released nor held
-- KEYS[3]  {product}:sale      hash: initial, settled, released, held (units); after (the last ledger
--                              entry before this sale); kept (the stock of a paused or ended sale)
-- KEYS[4]  {product}:buyers    hash: units claimed, by user
-- KEYS[5]  {product}:released  set, ledger entries whose units were given back
-- KEYS[6]  {product}:holds     sorted set: "<ledger entry> <units>", perhaps with " earlier"; see
--                              settle.lua
-- ARGV[1]  ledger entry id
-- ARGV[2]  user id
-- ARGV[3]  units, a positive integer
-- returns   1  given back now
--           0  given back before; nothing changed
--          -2  Redis has no such sale; its opening reads from PostgreSQL what is left
local open = redis.call('EXISTS', KEYS[1]) == 1
if not open and redis.call('HEXISTS', KEYS[3], 'kept') == 0 then
  return -2
end
if redis.call('SADD', KEYS[5], ARGV[1]) == 0 then
  return 0
end
redis.call('XACK', KEYS[2], 'relay', ARGV[1])
local hold = ARGV[1] .. ' ' .. ARGV[3]
if redis.call('XDEL', KEYS[2], ARGV[1]) == 1 then
  -- it was unsettled, and is in no other counter
elseif redis.call('ZREM', KEYS[6], hold, hold .. ' earlier') == 1 then
  redis.call('HINCRBY', KEYS[3], 'held', -ARGV[3])
else
  local ms, n = string.match(ARGV[1], '^(%d+)-(%d+)$')
  local after = redis.call('HGET', KEYS[3], 'after') or '0-0'
  local after_ms, after_n = string.match(after, '^(%d+)-(%d+)$')
  ms, n, after_ms, after_n = tonumber(ms), tonumber(n), tonumber(after_ms), tonumber(after_n)
  if ms > after_ms or (ms == after_ms and n > after_n) then
    redis.call('HINCRBY', KEYS[3], 'settled', -ARGV[3])
  else -- the entry is of an earlier sale, so this sale never had these units
    redis.call('HINCRBY', KEYS[3], 'initial', ARGV[3])
  end
end
if open then
  redis.call('INCRBY', KEYS[1], ARGV[3])
else
  redis.call('HINCRBY', KEYS[3], 'kept', ARGV[3])
end
redis.call('HINCRBY', KEYS[3], 'released', ARGV[3])
if redis.call('HEXISTS', KEYS[4], ARGV[2]) == 1 then
  if redis.call('HINCRBY', KEYS[4], ARGV[2], -ARGV[3]) <= 0 then
    redis.call('HDEL', KEYS[4], ARGV[2])
  end
end
return 1
