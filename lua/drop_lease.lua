-- drop_lease.lua: stop relaying, but only if nothing is left to relay (V5).
-- So the last claim of a burst is never left behind by a leader that stayed alive.
--
-- KEYS[1]  {product}:lease   string: who relays now
-- KEYS[2]  {product}:ledger  stream of claims that are neither settled nor released
-- ARGV[1]  lease token of this process
-- returns   1  the lease is free
--           0  claims are unsent; the lease is kept
--          -1  the lease is somebody else's, or expired; nothing changed
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return -1
end
local groups = redis.call('EXISTS', KEYS[2]) == 1 and redis.call('XINFO', 'GROUPS', KEYS[2]) or {}
for _, group in ipairs(groups) do
  local fields = {}
  for i = 1, #group, 2 do
    fields[group[i]] = group[i + 1]
  end
  if fields['name'] == 'relay' then
    local after = '(' .. fields['last-delivered-id']
    if #redis.call('XRANGE', KEYS[2], after, '+', 'COUNT', 1) > 0 then
      return 0
    end
  end
end
redis.call('DEL', KEYS[1])
return 1
