import type { Duration } from '../../src/core/duration.js';
import { fenced, type Script } from './fenced.js';
import { hashFields, unrepresentableHash } from './hash-fields.js';

/** What a driver is told of a sink of hashes, that of the embedded profile too. */
export interface HashSinkOptions {
  readonly key: (value: unknown) => string;
  /** What is written of a value: all of it where this is missing. `null` takes the hash away. */
  readonly content?: ((value: unknown) => unknown) | undefined;
  /** For ever where it is missing. */
  readonly ttl: Duration | undefined;
}

/** A sink as the writer sees it: what it makes of a value, and the script that writes that. */
export interface Structure {
  readonly script: Script;
  readonly key: (value: unknown) => string;
  readonly strings: (value: unknown) => readonly (string | Buffer)[];
  /** Why Redis could not take a value: such go to the dead letters, and `strings` is not asked for them. */
  readonly unrepresentable: (value: unknown) => string | undefined;
  /** In milliseconds, since the key was last written. */
  readonly ttl: number | undefined;
  /** What the script calls `limit` and `how`. */
  readonly limit: number | undefined;
  readonly how: string;
  /** A value takes the place of the one before it, so of each key the last one of a call is enough. */
  readonly replaces: boolean;
}

/** What the options of a sink come to: everything of a structure but its script, which goes by the kind. */
export type Write = Pick<Structure, 'key' | 'strings' | 'unrepresentable'> &
  Partial<Pick<Structure, 'ttl' | 'limit' | 'how'>>;

interface Kind {
  readonly script: Script;
  readonly replaces: boolean;
}

// A call that adds up must add each record, one that replaces the last of a key alone.
const replacing = (effect: string): Kind => ({ script: fenced(effect), replaces: true });
const adding = (effect: string): Kind => ({ script: fenced(effect), replaces: false });

/** Lua has room for 8,000 arguments of a function; a multiple of two, as fields and values are. */
const UNPACK_MAX = 7_000;
/** An entry of a stream cannot be written in pieces. */
export const ENTRY_FIELDS_MAX = UNPACK_MAX / 2;

// Most hashes keep their fields. What has others, or is no hash, goes first, as if nothing had been there.
const hash = replacing(`
  if #row == 2 then
    redis.call('DEL', key)
    return
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

/** By kind; no strings take a value away. */
const kinds: Readonly<Record<string, Kind>> = {
  'redis.hashSink': hash,
  'redis.upsertSink': hash,
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
  // The first string of these is the command.
  'redis.setSink': adding(`
  redis.call(row[3], key, row[4])
  expire(key)`),
  'redis.counterSink': adding(`
  redis.call(row[3], key, unpack(row, 4))
  expire(key)`),
  // Trimmed with each record, not with each call: what stays must not depend on where calls are cut.
  'redis.sortedSetSink': adding(`
  redis.call(row[3], key, unpack(row, 4))
  if limit > 0 then
    if how == 'highest' then redis.call('ZREMRANGEBYRANK', key, 0, -limit - 1)
    else redis.call('ZREMRANGEBYRANK', key, limit, -1) end
  end
  expire(key)`),
};

/** Whether what is written twice is there twice. */
export const addsUp = (kind: string): boolean => kind === 'redis.streamSink' || kind === 'redis.counterSink';

export const structureKinds: readonly string[] = Object.keys(kinds);

/** The structure that a sink of a kind writes; `undefined` where there is no such kind. */
export function structureOf(kind: string, options: unknown): Structure | undefined {
  const known = kinds[kind];
  if (!known) return undefined;
  const write = known === hash ? hashWrite(options as HashSinkOptions) : (options as Write);
  return { ttl: undefined, limit: undefined, how: '', ...known, ...write };
}

/** Options of hashes are the same for the embedded store, which has no scripts. */
const hashWrite = ({ key, content, ttl }: HashSinkOptions): Write => ({
  key,
  strings: (value) => Object.entries(hashFields(content ? content(value) : value)).flat(),
  unrepresentable: (value) => unrepresentableHash(key(value), content ? content(value) : value),
  ttl,
});
