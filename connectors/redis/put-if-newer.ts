/**
 * Writes hashes, each only if its record is newer than the last one written for this task and topic.
 *
 * The fence is one hash a step and task, a field a topic: `incarnation:offset:n` of the newest record written. Records
 * come in order and a call is atomic, so whatever is not newer than the fence is in Redis already, however a replay is
 * cut. (A fence for each key would need as much memory as the keys, for ever.) It is raised last: a call that fails
 * half-way is repeated as a whole.
 *
 * KEYS: the fence, then one key a record. ARGV: incarnation, time to live in milliseconds or 0, topic, then for each record
 * its offset, n, the number of strings that follow, and fields and values in turn.
 * Answers with the number of hashes written, or -1 if a newer incarnation was here.
 */
export const putIfNewer = `
local fence, topic = KEYS[1], ARGV[3]
local incarnation, ttl = tonumber(ARGV[1]), ARGV[2]
local fenceIncarnation, fenceOffset, fenceN = -1, -1, -1
local stored = redis.call('HGET', fence, topic)
if stored then
  local a, b, c = string.match(stored, '^(%d+):(%d+):(%d+)$')
  fenceIncarnation, fenceOffset, fenceN = tonumber(a), tonumber(b), tonumber(c)
end
if incarnation < fenceIncarnation then return -1 end
if incarnation > fenceIncarnation then fenceOffset, fenceN = -1, -1 end
local at, written = 4, 0
local last
for i = 2, #KEYS do
  local offset, n, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if offset > fenceOffset or (offset == fenceOffset and n > fenceN) then
    redis.call('DEL', KEYS[i])
    if count > 0 then
      redis.call('HSET', KEYS[i], unpack(ARGV, at + 3, at + 2 + count))
      if ttl ~= '0' then redis.call('PEXPIRE', KEYS[i], ttl) end
    end
    written = written + 1
    last = ARGV[1] .. ':' .. ARGV[at] .. ':' .. ARGV[at + 1]
  end
  at = at + 3 + count
end
if last then redis.call('HSET', fence, topic, last) end
return written
`;
