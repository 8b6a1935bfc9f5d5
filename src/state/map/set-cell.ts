import { type CellSpec, type Duration, MillraceError } from '../../core/index.js';
import { tags } from '../codec.js';
import { AgedSet } from './aged-set.js';
import type { MapCell } from './map-contract.js';

/** How long keys are kept, and how many. */
export interface SetCellOptions {
  /** How long a key lives after the event time of its last write. */
  readonly ttl: Duration;
  /** The most keys; beyond it, the key with the oldest write is removed. */
  readonly entriesMax: number;
}

/**
 * Declares a `mapCell` with a `ttl` that holds keys alone: each value is `true`. Keys are bytes in segments of 4 KiB in the order of
 * their writes (within a slice of a 24th of the ttl), not objects. A stream of new keys writes only the newest segment.
 *
 * @example
 * const cells = { seen: setCell<string>({ ttl: hours(24), entriesMax: 5_000_000 }) };
 *
 * Guarantees: exact, since the keys are kept themselves. No write waits for a table of all keys to be enlarged, an ended slice to be
 * freed, or a restored segment to be decoded. The hash of the index has a random secret, so nobody can choose keys that make it
 * slow; nothing else depends on it. A time between two milliseconds counts as the later one.
 * Errors: `config` for impossible limits; `state` for a checkpoint that cannot be read, and for keys of more than 4 GiB.
 * Memory: about 16 bytes per key (up to 21 below two fifths of `entriesMax`) and the key itself: 4 bytes for a 32-bit integer, 8 for another
 * number, 16 for a UUID in lower case, or the characters of another text (twice beyond Latin-1). It keeps that of the most keys so far.
 * Changelog: 5 bytes and the key.
 */
export function setCell<K extends string | number>({ ttl, entriesMax }: SetCellOptions): CellSpec<MapCell<K, true>> {
  if (!(ttl > 0 && entriesMax >= 1))
    throw new MillraceError('config', `a set cell cannot have ttl ${ttl} and entriesMax ${entriesMax}`, {
      hint: 'both must be positive',
    });
  return {
    kind: 'set',
    version: VERSION,
    tags: [tags.keySet, tags.agedMapHorizon],
    open: () => new AgedSet<K>(VERSION, ttl, entriesMax, crypto.getRandomValues(new Uint32Array(2))),
  };
}

const VERSION = 1;
