-- advance.lua: call the next users of a waiting room, as many as time, room, stock and the pipeline
-- of orders allow, and return the state of its door. Time does the work, so any process may call it,
-- and how often does not matter.
--
-- KEYS[1]  {product}:door    hash: epoch; serving (users whose place is below it are called);
--                            admission_ms, call_ms, max_inside; rate, max_rate (calls a second); at
--                            (ms since 1970, the last call of this script); carry (calls that were
--                            possible then and not made); adapted_at (when the rate changed last);
--                            admitted (a counter); paused (1 while an admin has stopped the calls);
--                            why (what limited the last calls)
-- KEYS[2]  {product}:calls   sorted set: when calls were made (ms since 1970, up to a whole second),
--                            by what `serving` was afterwards; the newest 4,096
-- KEYS[3]  {product}:inside  sorted set: users inside, by until when (ms since 1970)
-- KEYS[4]  {product}:stock   integer, units that can be claimed
-- KEYS[5]  {product}:ledger  stream of claims that are neither settled, released nor held
-- KEYS[6]  {product}:sale    hash: state, ends_at, held
-- ARGV[1]  epoch
-- ARGV[2]  places of this epoch that can be called: those below this number
-- returns  JSON: epoch, serving, rate, max_rate, max_inside, recent (calls of the last 60 s), inside,
--          admitted, stock, held, state (of the sale: open, paused or ended), why (what limited the
--          calls); or nil if no room of this epoch guards the sale
local door = redis.call('HMGET', KEYS[1], 'epoch', 'serving', 'at', 'carry', 'rate', 'max_rate',
  'max_inside', 'adapted_at', 'admitted', 'paused')
if door[1] ~= ARGV[1] then
  return nil
end
local serving, at, carry, rate = tonumber(door[2]), tonumber(door[3]), tonumber(door[4]), door[5]
local max_rate, max_inside, adapted_at = tonumber(door[6]), tonumber(door[7]), tonumber(door[8])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local sale = redis.call('HMGET', KEYS[6], 'state', 'ends_at', 'held')
local state = sale[1] or 'open'
if sale[2] and sale[2] ~= '' and now >= tonumber(sale[2]) then
  state = 'ended'
end

redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now) -- admissions that ran out
local inside = redis.call('ZCARD', KEYS[3])
local stock = tonumber(redis.call('GET', KEYS[4]) or 0)
local oldest = redis.call('XRANGE', KEYS[5], '-', '+', 'COUNT', 1)[1]
local age = oldest and now - tonumber(string.match(oldest[1], '^%d+')) or 0

-- Tokens come with time. A clock that steps back gives none, and a long pause makes no burst.
rate = math.min(tonumber(rate), max_rate)
local passed = math.max(0, math.min(now - at, 10000))
local tokens = math.min(carry + rate * passed / 1000, math.max(1, 2 * rate))
local waiting = math.max(0, tonumber(ARGV[2]) - serving)
local by_stock = math.ceil(1.5 * stock) -- those who are let in are to find something
local free = math.min(max_inside, by_stock) - inside
local step, why
if state ~= 'open' or door[10] then
  step, why = 0, 'paused'
else
  step = math.max(0, math.floor(math.min(tokens, free, waiting)))
  if waiting <= tokens and waiting <= free then
    why = 'nobody'
  elseif free <= tokens then
    why = by_stock < max_inside and 'stock' or 'inside'
  else
    why = age > 2000 and 'pipeline' or 'rate'
  end
end

-- AIMD, for all processes together once a second. The pipeline is the capacity: 2 s is some ten
-- times the age of a healthy claim.
if now - adapted_at >= 1000 or now < adapted_at then
  local before = rate
  if age > 2000 then
    rate = math.max(math.min(0.5, max_rate), rate * 0.7)
  elseif step > 0 and step >= math.floor(tokens) then
    rate = math.min(max_rate, rate + math.max(1, rate * 0.05))
  end
  if rate ~= before then
    adapted_at = now
  end
end

if step > 0 then
  serving = serving + step
  redis.call('ZADD', KEYS[2], serving, math.ceil(now / 1000) * 1000)
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -4097)
end
redis.call('HSET', KEYS[1], 'serving', serving, 'at', now, 'carry', tokens - step, 'rate', rate,
  'adapted_at', adapted_at, 'why', why)

-- One member a second at most, so 61 are enough to find what `serving` was 60 s ago.
local calls = redis.call('ZREVRANGE', KEYS[2], 0, 60, 'WITHSCORES')
local was = serving
for i = 1, #calls, 2 do
  was = tonumber(calls[i + 1])
  if tonumber(calls[i]) <= now - 60000 then
    break
  end
end
return cjson.encode({
  epoch = tonumber(door[1]), serving = serving, rate = rate, max_rate = max_rate,
  max_inside = max_inside, recent = serving - was, inside = inside, admitted = tonumber(door[9]),
  stock = stock, held = tonumber(sale[3] or 0), state = state, why = why,
})
