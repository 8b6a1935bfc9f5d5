import { createHash } from 'node:crypto';

/** A Lua script, known to servers by its digest. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/**
 * A script that writes records, each only if it is newer than the last one written for this task and topic.
 *
 * The fence is one hash a step and task, a field a topic: `incarnation:offset:n` of the newest record written. Records
 * come in order and a call is atomic, so whatever is not newer than the fence is in Redis already, however a replay is
 * cut, and that is as good for what adds up as for what replaces. (A fence for each key would need as much memory as the keys, for
 * ever.) The fence is raised with the last record that was written: where one is refused, those before it are not written again.
 *
 * KEYS: the fence, then one key a record. ARGV: incarnation, topic, then what `effect` calls `ttl` (milliseconds, or 0), `limit` and
 * `how`, then for each record its offset, n, the number of strings that follow, and these.
 * Answers with the number of records written, or -1 if a newer incarnation was here.
 *
 * @param effect Lua that writes one record to `key`, from the `count` strings of ARGV that begin at `at`; `expire(key)` sets the time to live.
 */
export function fenced(effect: string): Script {
  const lua = `
local fence, incarnation, topic = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local ttl, limit, how = ARGV[3], ARGV[4], ARGV[5]
local fenceIncarnation, fenceOffset, fenceN = -1, -1, -1
local stored = redis.call('HGET', fence, topic)
if stored then
  local a, b, c = string.match(stored, '^(%d+):(%d+):(%d+)$')
  fenceIncarnation, fenceOffset, fenceN = tonumber(a), tonumber(b), tonumber(c)
end
if incarnation < fenceIncarnation then return -1 end
if incarnation > fenceIncarnation then fenceOffset, fenceN = -1, -1 end
local function expire(key)
  if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
end
local function write(key, at, count)
${effect.trim()}
end
local at, written = 6, 0
local last, refused
for i = 2, #KEYS do
  local offset, n, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if offset > fenceOffset or (offset == fenceOffset and n > fenceN) then
    local done, reason = pcall(write, KEYS[i], at + 3, count)
    if not done then
      refused = reason
      break
    end
    written = written + 1
    last = at
  end
  at = at + 3 + count
end
if last then redis.call('HSET', fence, topic, ARGV[1] .. ':' .. ARGV[last] .. ':' .. ARGV[last + 1]) end
if refused then return redis.error_reply(type(refused) == 'table' and refused.err or tostring(refused)) end
return written
`;
  return Object.freeze({ lua, sha: createHash('sha1').update(lua).digest('hex') });
}
