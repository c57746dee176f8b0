-- snapshot.lua: where every unit of a sale is, at one instant (V5). At every instant
--     initial = stock + unsettled + settled
-- Counts the ledger entry by entry, so that the law is checked and not assumed: not for hot paths.
--
-- KEYS[1]  {product}:stock   integer, units that can be claimed
-- KEYS[2]  {product}:ledger  stream of claims that are neither settled nor released
-- KEYS[3]  {product}:sale    hash: initial, accepted, settled, released (units); of a paused or
--                            ended sale state, and kept, its stock
-- ARGV     none
-- returns  {stock, unsettled, initial, accepted, settled, released, claims in the ledger, state:
--          open, paused or ended}, or nil where no sale was opened
local sale = redis.call('HMGET', KEYS[3], 'initial', 'accepted', 'settled', 'released', 'state',
  'kept')
local stock = redis.call('GET', KEYS[1]) or sale[6]
if not stock or not sale[1] then
  return nil
end
local unsettled, entries = 0, redis.call('XRANGE', KEYS[2], '-', '+')
for _, entry in ipairs(entries) do
  unsettled = unsettled + tonumber(entry[2][4])
end
return {
  tonumber(stock), unsettled, tonumber(sale[1]), tonumber(sale[2] or 0), tonumber(sale[3] or 0),
  tonumber(sale[4] or 0), #entries, sale[5] or 'open',
}
