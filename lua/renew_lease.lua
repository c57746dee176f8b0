-- renew_lease.lua: extend the lease, take a free one, or hand it over (V5).
--
-- KEYS[1]  {product}:lease  string: the token of the process that relays now
-- ARGV[1]  lease token of this process
-- ARGV[2]  lease time in milliseconds; 0 hands the lease over to the next claimer
-- returns   1  this process holds the lease (or held it, and handed it over)
--           0  another process holds the lease
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
if tonumber(ARGV[2]) == 0 then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
