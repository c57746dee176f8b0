-- open_room.lua: make the queue of a waiting room, empty or as PostgreSQL knows it after a loss.
--
-- KEYS[1]  {product~room}:places  hash: arrival number, by user
-- KEYS[2]  {product~room}:room    hash: epoch; mode (fifo or draw_at_opening); from_at, opens_at (ms
--                                 since 1970); commitment, seed; issued (arrivals so far); drawn
--                                 (how many had joined at the opening; absent before); shown (1
--                                 once the draw may be shown)
-- ARGV[1]  epoch, an integer from 1
-- ARGV[2]  mode
-- ARGV[3]  from_at, ms since 1970
-- ARGV[4]  opens_at, ms since 1970
-- ARGV[5]  commitment
-- ARGV[6]  seed
-- ARGV[7]  issued: arrivals that are taken already, so the first new number
-- ARGV[8]  drawn, as PostgreSQL has it, or "" before the draw
-- returns  1  the room is new
--          0  there is a room of this epoch; nothing changed
if redis.call('HGET', KEYS[2], 'epoch') == ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[2], 'epoch', ARGV[1], 'mode', ARGV[2], 'from_at', ARGV[3],
  'opens_at', ARGV[4], 'commitment', ARGV[5], 'seed', ARGV[6], 'issued', ARGV[7])
if ARGV[8] ~= '' then
  redis.call('HSET', KEYS[2], 'drawn', ARGV[8], 'shown', 1)
end
return 1
