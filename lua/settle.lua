-- settle.lua: close claims whose orders are CONFIRMED in PostgreSQL (V5). Idempotent.
-- A claim is in the ledger, then perhaps in the holds, then nowhere.
--
-- KEYS[1]  {product}:ledger  stream of claims that are neither settled, released nor held
-- KEYS[2]  {product}:sale    hash: settled (units, a counter); held, initial (units)
-- KEYS[3]  {product}:holds   sorted set: "<ledger entry> <units>", by the end of the hold; with
--                            " earlier" after it if the claim is of a sale before this one
-- ARGV     pairs: ledger entry id, units
-- returns  units settled by this call; claims that were closed before count as 0
local settled, paid, earlier = 0, 0, 0
for i = 1, #ARGV, 2 do
  local units = tonumber(ARGV[i + 1])
  redis.call('XACK', KEYS[1], 'relay', ARGV[i])
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    settled = settled + units
  elseif redis.call('ZREM', KEYS[3], ARGV[i] .. ' ' .. ARGV[i + 1]) == 1 then
    paid = paid + units
  elseif redis.call('ZREM', KEYS[3], ARGV[i] .. ' ' .. ARGV[i + 1] .. ' earlier') == 1 then
    earlier = earlier + units
  end
end
if paid + earlier > 0 then
  redis.call('HINCRBY', KEYS[2], 'held', -paid - earlier)
end
if earlier > 0 then -- give_back.lua knows that this sale never had the units of earlier sales
  redis.call('HINCRBY', KEYS[2], 'initial', -earlier)
end
if settled + paid > 0 then
  redis.call('HINCRBY', KEYS[2], 'settled', settled + paid)
end
return settled + paid + earlier
