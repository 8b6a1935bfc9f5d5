import { isDeepStrictEqual } from 'node:util';
import type { HashReader } from '../profiles.js';
import type { Places } from './compare-topics.js';
import { Differences } from './differences.js';

/** Hashes read at a time. */
const READ = 500;

/**
 * Compares two sets of hashes, each under a prefix: keys, and all fields. `valuesCount` false: what was written last to a
 * key was decided by clocks, so only the keys are compared. Memory: the keys.
 */
export async function compareHashes(hashes: HashReader, prefixes: Places, valuesCount: boolean): Promise<Differences> {
  const found = new Differences();
  const calm = await keysBehind(hashes, prefixes.calm);
  const disturbed = new Set(await keysBehind(hashes, prefixes.disturbed));
  found.compared = calm.length;
  for (let start = 0; start < calm.length; start += READ) {
    const keys = calm.slice(start, start + READ);
    const [a, b] = await Promise.all([
      hashes.read(keys.map((key) => prefixes.calm + key)),
      hashes.read(keys.map((key) => prefixes.disturbed + key)),
    ]);
    for (const [i, key] of keys.entries()) {
      if (!disturbed.delete(key)) found.add({ kind: 'lost', id: key, calm: text(a[i]) });
      else if (valuesCount && !isDeepStrictEqual(a[i], b[i])) {
        found.add({ kind: 'different', id: key, calm: text(a[i]), disturbed: text(b[i]) });
      }
    }
  }
  for (const key of disturbed) {
    const [fields] = await hashes.read([prefixes.disturbed + key]);
    found.add({ kind: 'strange', id: key, disturbed: text(fields) });
  }
  return found;
}

const keysBehind = async (hashes: HashReader, prefix: string): Promise<string[]> =>
  (await hashes.keys(prefix)).map((key) => key.slice(prefix.length)).sort();

const text = (fields: Readonly<Record<string, string>> | undefined): string => JSON.stringify(fields ?? {});
