-- bound_to.lua: read which request a user's Idempotency-Key is bound to (V5), without binding it.
--
-- KEYS[1]  idem:…   hash: request; see bind_key.lua
-- ARGV     none
-- returns  the request, or false if the key is free. Then no request with this key was accepted in
--          the last day, and none is under way.
return redis.call('HGET', KEYS[1], 'request')
