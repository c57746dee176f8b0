-- snapshot.lua: return where every unit of a sale is, at one instant (V5). At every instant
--     initial = stock + unsettled + settled
-- The caller may have the ledger counted entry by entry, which checks this law. It is too slow for
-- hot paths, and for requests of buyers. Otherwise `unsettled` is computed from the law, in O(1).
--
-- KEYS[1]  {product}:stock   integer, units that can be claimed
-- KEYS[2]  {product}:ledger  stream of claims that are neither settled nor released
-- KEYS[3]  {product}:sale    hash: initial, accepted, settled, released (units); generation; in a
--                            paused or ended sale also state, and kept (its stock)
-- ARGV[1]  "count" to count the ledger, otherwise ""
-- returns  {stock, unsettled, initial, accepted, settled, released, claims in the ledger, state:
--          open, paused or ended, generation or ""}, or nil if no sale was opened
local sale = redis.call('HMGET', KEYS[3], 'initial', 'accepted', 'settled', 'released', 'state',
  'kept', 'generation')
local stock = redis.call('GET', KEYS[1]) or sale[6]
if not stock or not sale[1] then
  return nil
end
stock = tonumber(stock)
local initial, accepted = tonumber(sale[1]), tonumber(sale[2] or 0)
local settled, released = tonumber(sale[3] or 0), tonumber(sale[4] or 0)
local unsettled = 0
if ARGV[1] == 'count' then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+')) do
    unsettled = unsettled + tonumber(entry[2][4])
  end
elseif accepted > 0 then -- otherwise V3 or V4 sells, which have no ledger
  unsettled = initial - stock - settled
end
return {
  stock, unsettled, initial, accepted, settled, released, redis.call('XLEN', KEYS[2]),
  sale[5] or 'open', sale[7] or '',
}
