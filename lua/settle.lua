-- settle.lua: close claims whose orders are CONFIRMED in PostgreSQL (V5). Idempotent.
--
-- KEYS[1]  {product}:ledger  stream of claims that are neither settled nor released
-- KEYS[2]  {product}:sale    hash: settled (units, a counter)
-- ARGV     pairs: ledger entry id, units
-- returns  units settled by this call; claims that were closed before count as 0
local settled = 0
for i = 1, #ARGV, 2 do
  redis.call('XACK', KEYS[1], 'relay', ARGV[i])
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    settled = settled + tonumber(ARGV[i + 1])
  end
end
if settled > 0 then
  redis.call('HINCRBY', KEYS[2], 'settled', settled)
end
return settled
