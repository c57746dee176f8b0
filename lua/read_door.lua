-- read_door.lua: return the state of a waiting room's door for those who only watch. Unlike
-- advance.lua it calls nobody: it changes nothing. It takes constant time, but for those inside, who
-- are counted in a time that grows with the logarithm of their number.
--
-- KEYS[1]  {product}:door    hash, see advance.lua
-- KEYS[2]  {product}:calls   sorted set, see advance.lua
-- KEYS[3]  {product}:inside  sorted set: users inside, by until when (ms since 1970)
-- KEYS[4]  {product}:stock   integer, units that can be claimed
-- KEYS[5]  {product}:ledger  stream of claims that are neither settled, released nor held
-- KEYS[6]  {product}:sale    hash: room, state, ends_at; kept (the units of a paused sale)
-- ARGV     none
-- returns  JSON: epoch, serving, rate, max_rate, max_inside, inside, admitted, units (that can be
--          claimed, or that a paused sale keeps), ended, why (what limited the last calls; paused
--          now); now, called_at, looked_at (of the last call, of the last run of advance.lua; ms
--          since 1970), claim_age (of the oldest claim in the ledger, in ms); or nil if no room
--          guards the sale
local sale = redis.call('HMGET', KEYS[6], 'room', 'state', 'ends_at', 'kept')
local door = redis.call('HMGET', KEYS[1], 'epoch', 'serving', 'at', 'rate', 'max_rate',
  'max_inside', 'admitted', 'paused', 'why')
if not sale[1] or sale[1] ~= door[1] then
  return nil
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ended = sale[2] == 'ended'
  or (sale[3] and sale[3] ~= '' and now >= tonumber(sale[3])) or false
local why = (sale[2] == 'paused' or door[8]) and 'paused' or door[9] or 'nobody'
local called_at = redis.call('ZREVRANGE', KEYS[2], 0, 0)[1] or door[3]
local oldest = redis.call('XRANGE', KEYS[5], '-', '+', 'COUNT', 1)[1]
return cjson.encode({
  epoch = tonumber(door[1]), serving = tonumber(door[2]), rate = tonumber(door[4]),
  max_rate = tonumber(door[5]), max_inside = tonumber(door[6]),
  inside = redis.call('ZCOUNT', KEYS[3], '(' .. now, '+inf'),
  admitted = tonumber(door[7]), units = tonumber(redis.call('GET', KEYS[4]) or sale[4] or 0),
  ended = ended, why = why, now = now, called_at = tonumber(called_at),
  looked_at = tonumber(door[3]),
  claim_age = oldest and now - tonumber(string.match(oldest[1], '^%d+')) or 0,
})
