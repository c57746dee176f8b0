-- look.lua: return what Redis knows of those who joined a waiting room. After the opening, the first
-- call of this script or of join.lua draws: it freezes how many had joined. The draw is shown once
-- PostgreSQL has it, so that a loss of Redis cannot change it; 10 s later it is shown all the same.
--
-- KEYS[1]  {product~room}:room  hash, see open_room.lua
-- ARGV[1]  epoch of a draw that PostgreSQL has, or ""
-- ARGV[2]  drawn, as PostgreSQL has it, or "". It counts, unless another number was shown already
-- returns  JSON: epoch, mode, from_at, opens_at, now, issued, drawn (null before the draw), shown,
--          commitment, seed; or nil if there is no room
local room = redis.call('HMGET', KEYS[1], 'epoch', 'mode', 'from_at', 'opens_at', 'issued', 'drawn',
  'shown', 'commitment', 'seed')
if not room[1] then
  return nil
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local opens_at, issued, shown = tonumber(room[4]), tonumber(room[5]), room[7]
local drawn = tonumber(room[6])
if not drawn and now >= opens_at then
  drawn = issued
  redis.call('HSET', KEYS[1], 'drawn', drawn)
end
local saved = ARGV[1] == room[1] and tonumber(ARGV[2])
if not shown and (saved or (drawn and (room[2] == 'fifo' or now >= opens_at + 10000))) then
  drawn, shown = saved or drawn, 1
  issued = math.max(issued, drawn)
  redis.call('HSET', KEYS[1], 'drawn', drawn, 'issued', issued, 'shown', 1)
end
return cjson.encode({
  epoch = tonumber(room[1]), mode = room[2], from_at = tonumber(room[3]), opens_at = opens_at,
  now = now, issued = issued, drawn = drawn or cjson.null, shown = shown and true or false,
  commitment = room[8], seed = room[9],
})
