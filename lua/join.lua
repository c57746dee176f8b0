-- join.lua: give a user an arrival number in a waiting room, once. After the opening, the first
-- call of this script or of look.lua draws: it freezes how many had joined.
--
-- KEYS[1]  {product~room}:places  hash: arrival number, by user
-- KEYS[2]  {product~room}:room    hash, see open_room.lua
-- ARGV[1]  user id
-- ARGV[2]  number of a valid ticket of this user, or "". One that is a million above all given ones
--          is forged, and would leave no numbers for others
-- ARGV[3]  epoch of that ticket, or ""
-- ARGV[4]  "again" if the place of that ticket has lapsed, otherwise "". The user gets a new number,
--          at the end. Before the draw nobody can give up a number, so nobody can try their luck
--          twice
-- returns  {1, number, epoch}  the number of this user, from 0
--          {-1, from_at}       nobody can join before that time (ms since 1970)
--          {-2}                there is no room
local room = redis.call('HMGET', KEYS[2], 'epoch', 'mode', 'from_at', 'opens_at', 'issued', 'drawn')
local epoch, issued, drawn = room[1], tonumber(room[5]), room[6]
if not epoch then
  return {-2}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not drawn and now >= tonumber(room[4]) then
  drawn = issued
  redis.call('HSET', KEYS[2], 'drawn', drawn)
  if room[2] == 'fifo' then -- there are no places to draw
    redis.call('HSET', KEYS[2], 'shown', 1)
  end
end

-- A ticket of another epoch says nothing of this room.
local ticket = ARGV[3] == epoch and tonumber(ARGV[2])
local number = tonumber(redis.call('HGET', KEYS[1], ARGV[1]))
if number and not (ARGV[4] == 'again' and drawn and number == ticket) then
  return {1, number, tonumber(epoch)}
end
if not number and ticket and ticket < issued + 1000000 then -- Redis has lost it
  number = ticket
elseif now < tonumber(room[3]) then
  return {-1, tonumber(room[3])}
else
  number = issued
end
redis.call('HSET', KEYS[1], ARGV[1], number)
if number >= issued then
  redis.call('HSET', KEYS[2], 'issued', number + 1)
end
return {1, number, tonumber(epoch)}
