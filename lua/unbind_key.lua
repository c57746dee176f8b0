-- unbind_key.lua: release the Idempotency-Key of a refused request (V5). The key becomes free when
-- all its holders were refused. A request that was accepted stays a holder.
--
-- KEYS[1]  idem:…   hash: request, holders; see bind_key.lua
-- ARGV[1]  the request
-- returns  1  the key is free
--          0  the key is still bound, to this request or to another one
if redis.call('HGET', KEYS[1], 'request') ~= ARGV[1] then
  return 0
end
if redis.call('HINCRBY', KEYS[1], 'holders', -1) > 0 then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
