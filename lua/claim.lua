-- claim.lua: claim units for a buyer and write the claim into the ledger, in one atomic step (V5).
-- So there are never units that are taken without a record of the buyer.
--
-- KEYS[1]  {product}:stock   integer, units that can be claimed
-- KEYS[2]  {product}:ledger  stream of claims that are neither settled nor released
-- KEYS[3]  {product}:sale    hash: starts_at, ends_at (ms since 1970, "" for none), limit_per_buyer
--                            (units, 0 for none), generation (1 to 5; "" until the first purchase
--                            decides it), accepted (a counter of units), room (the epoch of the
--                            waiting room that guards the sale, "" for none)
-- KEYS[4]  {product}:buyers  hash: units claimed, by user; only in a sale with a purchase limit
-- KEYS[5]  {product}:lease   string: the token of the process that relays now
-- KEYS[6]  {product}:inside  sorted set: users whom the waiting room let in, by until when (ms since
--                            1970); only in a sale with a room
-- KEYS[7…] {product}:rate:…  string: when this bucket will be full again, in µs since 1970; one for
--                            each rate limit
-- last key {product}:idem:…  string: the answer to an equal request; only with an Idempotency-Key
-- ARGV[1]  user id
-- ARGV[2]  units to claim, a positive integer
-- ARGV[3]  correlation id
-- ARGV[4]  lease token of this process
-- ARGV[5]  lease time in milliseconds
-- ARGV[6]  seconds for which the answer to an Idempotency-Key is kept
-- ARGV[7…] pairs, one for each rate limit: tokens that its bucket holds, µs until one comes back
-- returns  {1, ledger entry id, units that remain, 1 if this process got the lease and must relay,
--              otherwise 0, and for each rate limit the tokens that are left}
--          {0, ledger entry id, units that remained, 0, …}  an equal request came before
--          {-1}  out of stock
--          {-2}  no such product on sale
--          {-3}  the sale is not open, or paused
--          {-4}  over the purchase limit
--          {-5, number of the rate limit, µs to wait}  over a rate limit
--          {-6, generation}  another generation sells this product
--          {-7, epoch}  the waiting room of this epoch has not let the user in, or no longer
--          A negative answer changes nothing. Except for -5, it takes a token from each bucket.
local call = redis.call -- a claim makes eight calls: looking its name up once is worth it
local quantity = tonumber(ARGV[2])
local limits = (#ARGV - 6) / 2
local idempotency = KEYS[7 + limits]

local now -- µs since 1970
local left -- tokens, by the number of the rate limit
if limits > 0 then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
  -- GCRA: a bucket is stored as the time at which it will be full again, so it needs no refilling.
  local full = {}
  left = {}
  for n = 1, limits do
    local size, each = tonumber(ARGV[5 + 2 * n]), tonumber(ARGV[6 + 2 * n])
    full[n] = math.max(tonumber(call('GET', KEYS[6 + n]) or 0), now) + each
    local wait = full[n] - now - size * each
    if wait > 0 then
      return {-5, n, wait}
    end
    left[n] = math.floor(-wait / each)
  end
  for n = 1, limits do -- only now, because a claim that one limit rejects takes no token from any
    local at, milliseconds = string.format('%.0f', full[n]), math.ceil((full[n] - now) / 1000)
    call('SET', KEYS[6 + n], at, 'PX', milliseconds)
  end
end

if idempotency then
  local before = call('GET', idempotency)
  if before then
    local entry, remained = string.match(before, '^(%S+) (%S+)$')
    return {0, entry, tonumber(remained), 0, unpack(left or {})}
  end
end

local sale = call('HMGET', KEYS[3], 'starts_at', 'ends_at', 'limit_per_buyer', 'generation',
  'room')
local undecided = not sale[4] or sale[4] == ''
if not undecided and sale[4] ~= '5' then
  return {-6, tonumber(sale[4])}
end
local stock = tonumber(call('GET', KEYS[1]))
if not stock then
  return {call('EXISTS', KEYS[3]) == 1 and -3 or -2}
end
local room = sale[5] ~= '' and sale[5]
if room or sale[1] ~= '' or sale[2] ~= '' then
  if not now then
    local time = call('TIME')
    now = time[1] * 1000000 + time[2]
  end
  local ms = now / 1000
  if (sale[1] ~= '' and ms < tonumber(sale[1])) or (sale[2] ~= '' and ms >= tonumber(sale[2])) then
    return {-3}
  end
  local inside_until = room and call('ZSCORE', KEYS[6], ARGV[1])
  if room and (not inside_until or ms >= tonumber(inside_until)) then
    return {-7, tonumber(room)}
  end
end
local limit = tonumber(sale[3])
if limit > 0 and tonumber(call('HGET', KEYS[4], ARGV[1]) or 0) + quantity > limit then
  return {-4}
end
if stock < quantity then
  return {-1}
end

local remaining = call('DECRBY', KEYS[1], quantity)
local entry = call('XADD', KEYS[2], '*', 'u', ARGV[1], 'q', quantity, 'c', ARGV[3])
call('HINCRBY', KEYS[3], 'accepted', quantity)
if undecided then
  call('HSET', KEYS[3], 'generation', 5)
end
if limit > 0 then
  call('HINCRBY', KEYS[4], ARGV[1], quantity)
end
if room then -- one admission is one purchase
  call('ZREM', KEYS[6], ARGV[1])
end
if idempotency then
  call('SET', idempotency, entry .. ' ' .. remaining, 'EX', ARGV[6])
end
local leader = call('SET', KEYS[5], ARGV[4], 'NX', 'PX', ARGV[5])
if left then
  return {1, entry, remaining, leader and 1 or 0, unpack(left)}
end
return {1, entry, remaining, leader and 1 or 0}
