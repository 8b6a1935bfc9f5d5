import { createHash } from 'node:crypto';
import type { TaskId } from '../../src/core/checkpoint.js';

/** The first argument of a call, as JSON. Writing and parsing one text takes a quarter of the time of one argument per string. */
export interface CallText {
  readonly incarnation: number;
  readonly topic: string;
  /** In milliseconds, or 0 for none. */
  readonly ttl: number;
  readonly limit: number;
  readonly how: string;
  /** Offset and n of each record, then its strings; bytes are given by the number of their argument. */
  readonly rows: readonly (readonly [offset: number, n: number, ...strings: (string | number)[]])[];
}

/** The name of a fence, which its slot completes to a key. */
export const fenceName = ({ topology, partition }: TaskId, step: string): string => `${topology}:${step}:${partition}`;

/** A Lua script with the digest by which servers know it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/**
 * A script that writes each record only if it is newer than the last one written for its task and topic.
 *
 * The fence is one hash per step and task, with one field per topic: `incarnation:offset:n` of the newest record written. Records
 * come in order and a call is atomic. So every record up to the fence is in Redis, however a replay is divided into calls; this
 * holds for values that add up and for values that replace. (A fence per key would need as much memory as the keys, without end.)
 * The fence is raised to the last record that was written: if one is refused, those before it are not written again.
 *
 * KEYS: the fence, then one key per record. ARGV: a `CallText`, then the bytes that its records refer to by number. Returns the
 * number of records written, or -1 if a newer incarnation has written. If Redis refuses a record, it returns the error and the
 * number of the record among the keys.
 *
 * @param effect Lua that writes one record to `key`. Its strings are in `row`, from the third element on; the call has `ttl`,
 * `limit` and `how`, and `expire(key)` sets the TTL.
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
