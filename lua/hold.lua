-- hold.lua: move claims whose orders are RESERVED in PostgreSQL from the ledger to the holds (V5).
-- Idempotent. Only the call that removes an entry from the ledger adds it to the holds.
--
-- KEYS[1]  {product}:ledger  stream of claims that are neither settled, released nor held
-- KEYS[2]  {product}:sale    hash: held (units)
-- KEYS[3]  {product}:holds   sorted set: "<ledger entry> <units>", by the end of the hold (ms since
--                            1970). It is a hint: some time later the sweep asks PostgreSQL what
--                            became of the order
-- ARGV[1]  end of the last of these holds
-- ARGV[2…] pairs, one to some hundreds: ledger entry id, units
-- returns  units held by this call; claims that left the ledger before count as 0
local entries, holds, held = {}, {}, 0
for i = 2, #ARGV, 2 do
  entries[#entries + 1] = ARGV[i]
end
redis.call('XACK', KEYS[1], 'relay', unpack(entries))
for i = 2, #ARGV, 2 do
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    holds[#holds + 1] = ARGV[1]
    holds[#holds + 1] = ARGV[i] .. ' ' .. ARGV[i + 1]
    held = held + tonumber(ARGV[i + 1])
  end
end
if held > 0 then -- in one call: one for each claim takes half as long again as settle.lua
  redis.call('ZADD', KEYS[3], unpack(holds))
  redis.call('HINCRBY', KEYS[2], 'held', held)
end
return held
