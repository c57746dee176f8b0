-- snapshot.lua: return where every unit of a sale is, at one instant (V5). At every instant
--     initial = stock + unsettled + held + settled
-- The caller may have ledger and holds counted entry by entry, which checks this law. It is too slow for
-- hot paths, and for requests of buyers. Otherwise `unsettled` is computed from the law, in O(1).
--
-- KEYS[1]  {product}:stock   integer, units that can be claimed
-- KEYS[2]  {product}:ledger  stream of claims that are neither settled, released nor held
-- KEYS[3]  {product}:sale    hash: initial, accepted, settled, released, held (units); generation;
--                            starts_at (ms since 1970, "" for none); in a paused or ended sale
--                            also state, and kept (its stock)
-- KEYS[4]  {product}:holds   sorted set of "<ledger entry> <units>", perhaps with " earlier"
-- ARGV[1]  "count" to count ledger and holds, otherwise ""
-- returns  {stock, unsettled, initial, accepted, settled, released, claims in the ledger, state:
--          open, paused or ended, generation or "", held, starts_at or ""}, or nil if no sale was
--          opened
local sale = redis.call('HMGET', KEYS[3], 'initial', 'accepted', 'settled', 'released', 'state',
  'kept', 'generation', 'held', 'starts_at')
local stock = redis.call('GET', KEYS[1]) or sale[6]
if not stock or not sale[1] then
  return nil
end
stock = tonumber(stock)
local initial, accepted = tonumber(sale[1]), tonumber(sale[2] or 0)
local settled, released = tonumber(sale[3] or 0), tonumber(sale[4] or 0)
local held = tonumber(sale[8] or 0)
local unsettled = 0
if ARGV[1] == 'count' then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+')) do
    unsettled = unsettled + tonumber(entry[2][4])
  end
  held = 0
  for _, hold in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
    held = held + tonumber(string.match(hold, '^%S+ (%d+)'))
  end
elseif accepted > 0 then -- otherwise V3 or V4 sells, which have no ledger
  unsettled = initial - stock - held - settled
end
return {
  stock, unsettled, initial, accepted, settled, released, redis.call('XLEN', KEYS[2]),
  sale[5] or 'open', sale[7] or '', held, sale[9] or '',
}
