-- hold.lua: move claims whose orders are RESERVED in PostgreSQL from the ledger to the holds (V5).
-- Idempotent. Only the call that removes an entry from the ledger adds it to the holds.
--
-- KEYS[1]  {product}:ledger  stream of claims that are neither settled, released nor held
-- KEYS[2]  {product}:sale    hash: held (units)
-- KEYS[3]  {product}:holds   sorted set: "<ledger entry> <units>", by the end of the hold (ms since
--                            1970). It is a hint: some time later the sweep asks PostgreSQL what
--                            became of the order
-- ARGV     triples: ledger entry id, units, end of the hold
-- returns  units held by this call; claims that left the ledger before count as 0
local held = 0
for i = 1, #ARGV, 3 do
  redis.call('XACK', KEYS[1], 'relay', ARGV[i])
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    redis.call('ZADD', KEYS[3], ARGV[i + 2], ARGV[i] .. ' ' .. ARGV[i + 1])
    held = held + tonumber(ARGV[i + 1])
  end
end
if held > 0 then
  redis.call('HINCRBY', KEYS[2], 'held', held)
end
return held
