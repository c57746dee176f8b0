-- release_claim.lua: give the units of one claim back to the stock, once (V5).
-- Only who removes the entry from the ledger gives back: that is the exactly-once guard.
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:ledger    stream of claims that are neither settled nor released
-- KEYS[3]  {product}:sale      hash: released (units, a counter); kept (the stock of a paused or
--                              ended sale)
-- KEYS[4]  {product}:buyers    hash: user -> units claimed
-- KEYS[5]  {product}:released  set, ledger entries whose units were given back, for give_back.lua
-- ARGV[1]  ledger entry id
-- ARGV[2]  user id
-- ARGV[3]  units, a positive integer
-- returns   1  given back now
--           0  this claim was settled or released before; nothing changed
redis.call('XACK', KEYS[2], 'relay', ARGV[1])
if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then
  return 0
end
redis.call('SADD', KEYS[5], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('INCRBY', KEYS[1], ARGV[3])
elseif redis.call('HEXISTS', KEYS[3], 'kept') == 1 then
  redis.call('HINCRBY', KEYS[3], 'kept', ARGV[3])
end -- else Redis has lost the stock: `rebuild` counts them
redis.call('HINCRBY', KEYS[3], 'released', ARGV[3])
if redis.call('HEXISTS', KEYS[4], ARGV[2]) == 1 then
  if redis.call('HINCRBY', KEYS[4], ARGV[2], -ARGV[3]) <= 0 then
    redis.call('HDEL', KEYS[4], ARGV[2])
  end
end
return 1
