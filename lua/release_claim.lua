-- release_claim.lua: give the units of claims back to the stock, once per claim (V5).
-- Only the call that removes an entry from the ledger or from the holds gives units back. So it
-- happens exactly once.
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:ledger    stream of claims that are neither settled, released nor held
-- KEYS[3]  {product}:sale      hash: released (units, a counter); held (units); kept (the stock of
--                              a paused or ended sale)
-- KEYS[4]  {product}:buyers    hash: units claimed, by user
-- KEYS[5]  {product}:released  set, ledger entries whose units were given back, for give_back.lua
-- KEYS[6]  {product}:holds     sorted set: "<ledger entry> <units>", perhaps with " earlier"; see
--                              settle.lua
-- ARGV     triples: ledger entry id, user id, units (a positive integer); some hundreds at most,
--          because Redis serves no other client meanwhile
-- returns  units given back by this call; claims that were closed before count as 0
local entries, units, held = {}, 0, 0
local limited = redis.call('EXISTS', KEYS[4]) == 1
for i = 1, #ARGV, 3 do
  local entry, user, quantity = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local hold = entry .. ' ' .. quantity
  local was_held = redis.call('ZREM', KEYS[6], hold, hold .. ' earlier') == 1
  if not was_held then
    redis.call('XACK', KEYS[2], 'relay', entry)
  end
  if was_held or redis.call('XDEL', KEYS[2], entry) == 1 then
    entries[#entries + 1] = entry
    units = units + tonumber(quantity)
    held = held + (was_held and tonumber(quantity) or 0)
    if limited and redis.call('HEXISTS', KEYS[4], user) == 1 then
      if redis.call('HINCRBY', KEYS[4], user, -quantity) <= 0 then
        redis.call('HDEL', KEYS[4], user)
      end
    end
  end
end
if units == 0 then
  return 0
end
redis.call('SADD', KEYS[5], unpack(entries))
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('INCRBY', KEYS[1], units)
elseif redis.call('HEXISTS', KEYS[3], 'kept') == 1 then
  redis.call('HINCRBY', KEYS[3], 'kept', units)
end -- otherwise Redis has lost the stock, and `flashsale rebuild` counts these units
if held > 0 then
  redis.call('HINCRBY', KEYS[3], 'held', -held)
end
redis.call('HINCRBY', KEYS[3], 'released', units)
return units
