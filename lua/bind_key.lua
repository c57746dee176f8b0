-- bind_key.lua: bind a user's Idempotency-Key to one request, before that request claims (V5).
-- Requests of other products may come with the same key, so this is no part of claim.lua: on a
-- cluster their keys are on another shard.
--
-- KEYS[1]  idem:…   hash: request (what the key is bound to), holders (equal requests that came with
--                   it and were not refused)
-- ARGV[1]  the request: what must be equal when the key comes again
-- ARGV[2]  seconds for which the key stays bound from here on
-- returns  1  it is bound to this request, which holds it once more
--          0  it is bound to another request; nothing changed
local bound = redis.call('HGET', KEYS[1], 'request')
if bound and bound ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'request', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'holders', 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
