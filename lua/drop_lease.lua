-- drop_lease.lua: stop relaying, but only if there is no unsent claim (V5).
-- So a live leader never leaves the last claim of a burst behind.
--
-- KEYS[1]  {product}:lease   string: the token of the process that relays now
-- KEYS[2]  {product}:ledger  stream of claims that are neither settled nor released
-- ARGV[1]  lease token of this process
-- returns   1  the lease is free now
--           0  there are unsent claims; the lease is kept
--          -1  another process holds the lease, or it expired; nothing changed
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
