import type { Duration } from '../../src/core/duration.js';
import { fenced, type Script } from './fenced.js';
import { hashFields, unrepresentableHash } from './hash-fields.js';

/** Options of a sink of hashes, for the drivers of both profiles. */
export interface HashSinkOptions {
  readonly key: (value: unknown) => string;
  /** The part of a value to write (default: all). `null` deletes the hash. */
  readonly content?: ((value: unknown) => unknown) | undefined;
  /** No expiry if missing. */
  readonly ttl: Duration | undefined;
  /** A field with a number: a value with a lower one than the hash has changes nothing. */
  readonly newest?: string | undefined;
}

/** A sink as its writer sees it: the strings of a value, and the script that writes them. */
export interface Structure {
  readonly script: Script;
  readonly key: (value: unknown) => string;
  readonly strings: (value: unknown) => readonly (string | Buffer)[];
  /** Why Redis cannot store a value. Such values go to the dead letters, and `strings` is not called for them. */
  readonly unrepresentable: (value: unknown) => string | undefined;
  /** In milliseconds after the last write of the key. */
  readonly ttl: number | undefined;
  /** `limit` and `how` of the script. */
  readonly limit: number | undefined;
  readonly how: string;
  /** A value replaces the one before it, so of each key only the last value of a call is written. */
  readonly replaces: boolean;
}

/** The parts of a structure that follow from the options of a sink; the script follows from its kind. */
export type Write = Pick<Structure, 'key' | 'strings' | 'unrepresentable'> &
  Partial<Pick<Structure, 'ttl' | 'limit' | 'how' | 'replaces'>>;

interface Kind {
  readonly script: Script;
  readonly replaces: boolean;
}

// A call that adds up must write every record; one that replaces, only the last of each key.
const replacing = (effect: string): Kind => ({ script: fenced(effect), replaces: true });
const adding = (effect: string): Kind => ({ script: fenced(effect), replaces: false });

/** Lua functions take at most 8,000 arguments; a multiple of two, for pairs of field and value. */
const UNPACK_MAX = 7_000;
/** An entry of a stream cannot be written in parts. */
export const ENTRY_FIELDS_MAX = UNPACK_MAX / 2;

// `how` is the field by which a value is not newer than the hash. Most hashes keep their fields. A key with other fields or of another type is deleted first.
const hash = replacing(`
  if #row == 2 then
    redis.call('DEL', key)
    return
  end
  if how ~= '' then
    local isHash, stored = pcall(redis.call, 'HGET', key, how)
    stored = isHash and tonumber(stored or nil)
    for i = 3, #row, 2 do
      if row[i] == how and stored and (tonumber(row[i + 1]) or stored) < stored then return end
    end
  end
  local function put()
    for from = 3, #row, ${UNPACK_MAX} do
      redis.call('HSET', key, unpack(row, from, math.min(from + ${UNPACK_MAX - 1}, #row)))
    end
  end
  if not pcall(put) or redis.call('HLEN', key) * 2 ~= #row - 2 then
    redis.call('DEL', key)
    put()
  end
  if ttl > 0 then expire(key) else redis.call('PERSIST', key) end`);

/** By kind. A record without strings deletes its key. */
const kinds: Readonly<Record<string, Kind>> = {
  'redis.hashSink': hash,
  'redis.upsertSink': hash,
  'redis.metricsSink': hash,
  'redis.stringSink': replacing(`
  local text = row[3]
  if type(text) == 'number' then text = ARGV[text] end
  if not text then redis.call('DEL', key)
  elseif ttl > 0 then redis.call('SET', key, text, 'PX', ttl)
  else redis.call('SET', key, text) end`),
  'redis.jsonSink': replacing(`
  if #row < 3 then redis.call('DEL', key)
  else
    redis.call('JSON.SET', key, '$', row[3])
    expire(key)
  end`),
  'redis.streamSink': adding("  redis.call('XADD', key, 'MAXLEN', how, limit, '*', unpack(row, 3))"),
  // For these the first string is the command.
  'redis.setSink': adding(`
  redis.call(row[3], key, row[4])
  expire(key)`),
  'redis.counterSink': adding(`
  redis.call(row[3], key, unpack(row, 4))
  expire(key)`),
  // Trimmed after each record, not after each call, so that the result does not depend on how records are divided into calls.
  'redis.sortedSetSink': adding(`
  redis.call(row[3], key, unpack(row, 4))
  if limit > 0 then
    if how == 'highest' then redis.call('ZREMRANGEBYRANK', key, 0, -limit - 1)
    else redis.call('ZREMRANGEBYRANK', key, limit, -1) end
  end
  expire(key)`),
};

/** Whether a record that is written twice counts twice. */
export const addsUp = (kind: string): boolean => kind === 'redis.streamSink' || kind === 'redis.counterSink';

export const structureKinds: readonly string[] = Object.keys(kinds);

/** The structure that a sink of a kind writes; `undefined` for an unknown kind. */
export function structureOf(kind: string, options: unknown): Structure | undefined {
  const known = kinds[kind];
  if (!known) return undefined;
  const write = known === hash ? hashWrite(options as HashSinkOptions) : (options as Write);
  return { ttl: undefined, limit: undefined, how: '', ...known, ...write };
}

/** The options of hashes are the same for the embedded store, which has no scripts. */
const hashWrite = ({ key, content, ttl, newest }: HashSinkOptions): Write => ({
  key,
  strings: (value) => Object.entries(hashFields(content ? content(value) : value)).flat(),
  unrepresentable: (value) => unrepresentableHash(key(value), content ? content(value) : value),
  ttl,
  // Of several values in a call the last need not be the newest.
  ...(newest !== undefined && { how: newest, replaces: false }),
});
