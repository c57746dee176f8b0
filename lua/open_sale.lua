-- open_sale.lua: put a product on sale by setting its stock, once (all generations).
--
-- KEYS[1]  {product}:stock     integer, units that can be claimed
-- KEYS[2]  {product}:released  set, ids of the orders (V5: the entries) whose units were given back
-- KEYS[3]  {product}:sale      hash: initial, supply, counters; after (the last ledger entry before
--                              this sale); the terms: starts_at, ends_at, limit_per_buyer,
--                              generation, room (the epoch of the waiting room that guards the
--                              sale, "" for none); while it is paused or ended also state,
--                              and kept (the units that the stock had)
-- KEYS[4]  {product}:ledger    stream of claims (V5), with the consumer group `relay`
-- KEYS[5]  {product}:buyers    hash: units claimed, by user
-- KEYS[6]  {product}:holds     sorted set: "<ledger entry> <units> earlier", by the end of the hold;
--                              see settle.lua
-- KEYS[7]  {product}:door      hash, see advance.lua; like the next three, of a waiting room
-- KEYS[8]  {product}:calls     sorted set, see advance.lua
-- KEYS[9]  {product}:inside    sorted set: users inside the room, by until when (ms since 1970)
-- KEYS[10] {product}:used      hash: the place with which a user was let in last, by user
-- ARGV[1]  units that can be claimed, an integer >= 0
-- ARGV[2]  start of the sale, ms since 1970, or "" for now
-- ARGV[3]  end of the sale, ms since 1970, or "" for never
-- ARGV[4]  units that one buyer may claim, 0 for any number
-- ARGV[5]  generation that sells, 1 to 5, or "" to let the first purchase decide
-- ARGV[6]  supply: the product's initial stock in PostgreSQL, read together with the units
-- ARGV[7]  "again" if the caller has drained the sale, otherwise ""
-- ARGV[8]  generation of the product's orders in PostgreSQL, "" without any; it stays the seller
-- ARGV[9]  largest ledger entry among those orders, "" without any; new entries will be larger
-- ARGV[10] how many ids follow
-- ARGV[11] how many holds follow
-- ARGV[12] epoch of the waiting room that guards the sale, or "" for none
-- ARGV[13] calls a second at most, a decimal number
-- ARGV[14] users inside at once, at most
-- ARGV[15] milliseconds for which an admitted user stays inside
-- ARGV[16] milliseconds for which a called user may wait before they ask to be admitted
-- ARGV[17] serving: how many places were called already, as PostgreSQL knows it after a loss. They
--          have the time of a call from now on again. It never falls in one epoch
-- ARGV[18…] ids of cancelled orders whose units were back in PostgreSQL when the units were read;
--           then triples, RESERVED orders that were read together with the units: ledger entry,
--           units, end of the hold (ms since 1970); then pairs: user, units that this user
--           already has
-- returns   1  the sale is open
--           0  a sale is running on these terms (even if sold out). Its stock stays unchanged,
--              because a new one would include units that are already claimed. If its generation
--              was undecided, ARGV[5] or ARGV[8] decides it
--          -1  a sale is running on other terms
--          -2  the sale is paused; resume_sale.lua resumes it
--          -3  units of an earlier sale may still be on their way to PostgreSQL
--          -4  another generation has orders of this product
--          A negative answer changes nothing.
local asked, sold_by = ARGV[5], ARGV[8]
local generation = asked ~= '' and asked or sold_by
local another = asked ~= '' and sold_by ~= '' and asked ~= sold_by
if redis.call('EXISTS', KEYS[1]) == 1 then
  local terms = redis.call('HMGET', KEYS[3], 'starts_at', 'ends_at', 'limit_per_buyer')
  local sells = redis.call('HGET', KEYS[3], 'generation') or ''
  if (redis.call('HGET', KEYS[3], 'room') or '') ~= ARGV[12] then
    return -1
  end
  if ARGV[12] ~= '' then
    local door = redis.call('HMGET', KEYS[7], 'max_rate', 'max_inside', 'admission_ms', 'call_ms')
    for i = 1, 4 do
      if tonumber(door[i]) ~= tonumber(ARGV[12 + i]) then
        return -1
      end
    end
  end
  if terms[1] ~= ARGV[2] or terms[2] ~= ARGV[3] or terms[3] ~= ARGV[4]
    or (asked ~= '' and sells ~= '' and sells ~= asked) then
    return -1
  end
  if another then
    return -4
  end
  if sells == '' then
    redis.call('HSET', KEYS[3], 'generation', generation)
  end
  return 0
end
if another then
  return -4
end
if ARGV[7] ~= 'again' then
  local sale = redis.call('HMGET', KEYS[3], 'state', 'kept')
  if sale[1] == 'paused' then
    return -2
  end
  -- Once all orders are written, PostgreSQL has as many units as an ended sale kept. A product that
  -- was never on sale has all its units; if not, Redis has lost the sale. Orders of V1 and V2 are
  -- never on their way, because they are written while their buyers wait.
  local left = redis.call('EXISTS', KEYS[3]) == 1 and sale[2] or ARGV[6]
  local written_at_once = generation == '1' or generation == '2'
  if (left ~= ARGV[1] and not written_at_once) or redis.call('XLEN', KEYS[4]) > 0 then
    return -3
  end
end

-- No entry may get the id of an earlier one, even if the clock went back or Redis lost its data.
local after = '0-0'
if redis.call('EXISTS', KEYS[4]) == 1 then
  local stream = redis.call('XINFO', 'STREAM', KEYS[4])
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then
      after = stream[i + 1]
    end
  end
end
if ARGV[9] ~= '' then
  local ms, n = string.match(after, '^(%d+)-(%d+)$')
  local floor_ms, floor_n = string.match(ARGV[9], '^(%d+)-(%d+)$')
  ms, n, floor_ms, floor_n = tonumber(ms), tonumber(n), tonumber(floor_ms), tonumber(floor_n)
  if floor_ms > ms or (floor_ms == ms and floor_n > n) then
    after = ARGV[9]
  end
end

local door = redis.call('HMGET', KEYS[7], 'epoch', 'serving', 'admitted', 'paused')
local same_room = door[1] == ARGV[12] -- who has used their place cannot use it again
for i = 2, same_room and 8 or 10 do
  redis.call('DEL', KEYS[i])
end
local holds_from = 18 + tonumber(ARGV[10])
local pairs_from = holds_from + 3 * tonumber(ARGV[11])
for i = 18, holds_from - 1 do
  redis.call('SADD', KEYS[2], ARGV[i])
end
local held = 0
for i = holds_from, pairs_from - 1, 3 do
  redis.call('ZADD', KEYS[6], ARGV[i + 2], ARGV[i] .. ' ' .. ARGV[i + 1] .. ' earlier')
  held = held + tonumber(ARGV[i + 1])
end
redis.call('SET', KEYS[1], ARGV[1])
-- First the fields that each claim reads or writes: Redis looks for a field from the front.
redis.call('HSET', KEYS[3], 'starts_at', ARGV[2], 'ends_at', ARGV[3], 'limit_per_buyer', ARGV[4],
  'generation', generation, 'room', ARGV[12], 'accepted', 0, 'initial', ARGV[1] + held,
  'supply', ARGV[6], 'after', after, 'settled', 0, 'released', 0, 'held', held)
redis.call('XGROUP', 'CREATE', KEYS[4], 'relay', '0', 'MKSTREAM')
redis.call('XSETID', KEYS[4], after)
for i = pairs_from, #ARGV, 2 do
  redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1])
end
if ARGV[12] ~= '' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local serving = tonumber(ARGV[17])
  if same_room then
    serving = math.max(serving, tonumber(door[2]))
  end
  redis.call('HSET', KEYS[7], 'epoch', ARGV[12], 'serving', serving, 'at', now, 'carry', 0,
    'rate', ARGV[13], 'max_rate', ARGV[13], 'max_inside', ARGV[14], 'admission_ms', ARGV[15],
    'call_ms', ARGV[16], 'adapted_at', now, 'admitted', same_room and door[3] or 0)
  if same_room and door[4] then
    redis.call('HSET', KEYS[7], 'paused', 1)
  end
  redis.call('ZADD', KEYS[8], serving, now)
end
return 1
