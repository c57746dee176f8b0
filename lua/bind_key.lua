-- bind_key.lua: bind a user's Idempotency-Key to one request, before that request claims (V5). It
-- is not a part of claim.lua, because requests for other products may come with the same key, and
-- on a cluster their keys are on another shard.
--
-- KEYS[1]  idem:…   hash: request (the request that the key is bound to), holders (how many equal
--                   requests came with the key and were not refused)
-- ARGV[1]  the request: it must be equal when the key comes again
-- ARGV[2]  seconds for which the key stays bound from now on
-- returns  1  the key is bound to this request, and has one holder more
--          0  the key is bound to another request; nothing changed
local bound = redis.call('HGET', KEYS[1], 'request')
if bound and bound ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'request', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'holders', 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
