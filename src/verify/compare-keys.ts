import { isDeepStrictEqual } from 'node:util';
import type { KeyReader } from '../profiles/profiles.js';
import type { Places } from './compare-topics.js';
import { Differences } from './differences.js';

/** Keys read at a time. */
const READ = 500;

/**
 * Compares two sets of keys, each under a prefix: the keys, and all that lies under them. `valuesCount` false: what was
 * written to a key, or in which order, was decided by clocks, so only the keys are compared. Memory: the keys, and what lies
 * under 1,000 of them.
 */
export async function compareKeys(store: KeyReader, prefixes: Places, valuesCount: boolean): Promise<Differences> {
  const found = new Differences();
  const reference = await keysBehind(store, prefixes.reference);
  const faulted = new Set(await keysBehind(store, prefixes.faulted));
  found.compared = reference.length;
  for (let start = 0; start < reference.length; start += READ) {
    const keys = reference.slice(start, start + READ);
    const [a, b] = await Promise.all([
      store.read(keys.map((key) => prefixes.reference + key)),
      store.read(keys.map((key) => prefixes.faulted + key)),
    ]);
    for (const [i, key] of keys.entries()) {
      if (!faulted.delete(key)) found.add({ kind: 'lost', id: key, reference: text(a[i]) });
      else if (valuesCount && !isDeepStrictEqual(a[i], b[i])) {
        found.add({ kind: 'different', id: key, reference: text(a[i]), faulted: text(b[i]) });
      }
    }
  }
  for (const key of faulted) {
    const [contents] = await store.read([prefixes.faulted + key]);
    found.add({ kind: 'unexpected', id: key, faulted: text(contents) });
  }
  return found;
}

const keysBehind = async (store: KeyReader, prefix: string): Promise<string[]> =>
  (await store.keys(prefix)).map((key) => key.slice(prefix.length)).sort();

const text = (contents: unknown): string => JSON.stringify(contents ?? {});
