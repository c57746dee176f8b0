-- unbind_key.lua: a request that was refused lets go of its Idempotency-Key (V5). The key is free
-- when all who held it were refused: an equal request that was accepted never lets go.
--
-- KEYS[1]  idem:…   hash: request, holders; see bind_key.lua
-- ARGV[1]  the request
-- returns  1  the key is free      0  it is still bound, or it is bound to another request
if redis.call('HGET', KEYS[1], 'request') ~= ARGV[1] then
  return 0
end
if redis.call('HINCRBY', KEYS[1], 'holders', -1) > 0 then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
