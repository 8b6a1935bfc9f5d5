import { createHash } from 'node:crypto';

/**
 * The first argument of a call, as JSON: one text is parsed in a quarter of the time that an argument for each string takes to be
 * written and read.
 */
export interface CallText {
  readonly incarnation: number;
  readonly topic: string;
  /** Milliseconds, or 0. */
  readonly ttl: number;
  readonly limit: number;
  readonly how: string;
  /** Offset and n of each record, and its strings: bytes as the number of the argument that they are. */
  readonly rows: readonly (readonly [offset: number, n: number, ...strings: (string | number)[]])[];
}

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
 * KEYS: the fence, then one key a record. ARGV: a `CallText`, then what its records refer to by number.
 * Answers with the number of records written, or -1 if a newer incarnation was here; where Redis refuses a record, with its words and
 * the number of the record among the keys.
 *
 * @param effect Lua that writes one record to `key`: its strings are in `row`, from the third on, the call has `ttl`, `limit` and `how`,
 *   and `expire(key)` sets the time to live.
 */
export function fenced(effect: string): Script {
  const lua = `
local call = cjson.decode(ARGV[1])
local fence, incarnation, topic = KEYS[1], call.incarnation, call.topic
local ttl, limit, how = call.ttl, call.limit, call.how
local fenceIncarnation, fenceOffset, fenceN = -1, -1, -1
local stored = redis.call('HGET', fence, topic)
if stored then
  local a, b, c = string.match(stored, '^(%d+):(%d+):(%d+)$')
  fenceIncarnation, fenceOffset, fenceN = tonumber(a), tonumber(b), tonumber(c)
end
if incarnation < fenceIncarnation then return -1 end
if incarnation > fenceIncarnation then fenceOffset, fenceN = -1, -1 end
local function expire(key)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
end
local function write(key, row)
${effect.trim()}
end
local written = 0
local last, refused
for i, row in ipairs(call.rows) do
  local offset, n = row[1], row[2]
  if offset > fenceOffset or (offset == fenceOffset and n > fenceN) then
    local done, reason = pcall(write, KEYS[i + 1], row)
    if not done then
      refused = { type(reason) == 'table' and reason.err or tostring(reason), i }
      break
    end
    written = written + 1
    last = row
  end
end
if last then redis.call('HSET', fence, topic, string.format('%.0f:%.0f:%.0f', incarnation, last[1], last[2])) end
return refused or written
`;
  return Object.freeze({ lua, sha: createHash('sha1').update(lua).digest('hex') });
}
