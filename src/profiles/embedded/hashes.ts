import { Packr } from 'msgpackr';
import { hashFields } from '../../../connectors/redis/hash-fields.js';
import { MillraceError } from '../../core/errors.js';
import { counted } from '../../util/counted.js';
import { KEY_BYTES_MAX, type Store, type Write } from './store.js';

/** The newest value of each key, and how long its fields are to stay: `Infinity` for ever. */
export type HashWrites = Map<string, { readonly value: unknown; readonly ttlMs: number }>;

/** One hash as it can be read. */
export interface StoredHash {
  readonly key: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}

/** Bytes of the expiry time in front of the packed fields. */
const EXPIRY_SIZE = 8;
/** Entries looked at in one go, so that a commit is not held up by them. */
const SWEEP_MAX = 20_000;

const packr = new Packr({ useRecords: false });

/**
 * Hashes with a time to live. An expired one is not shown any more at once, and removed later: each commit looks at as
 * many entries as were written since, but only when the earliest expiry known has come. So expired entries are at most
 * about as many as live ones.
 */
export class Hashes {
  private cursor: string | undefined;
  private owedLooks = 0;
  /** No entry expires before this; unknown when the store opens. */
  private earliestMs = 0;
  private earliestSeenMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {}

  get(key: string): Readonly<Record<string, string>> | undefined {
    const bytes = this.store.hashes.get(storeKey(key));
    if (bytes === undefined || bytes.readDoubleLE(0) <= this.now()) return undefined;
    return fieldsOf(bytes);
  }

  /** All that have not expired, by key. */
  *entries(): Generator<StoredHash> {
    const nowMs = this.now();
    for (const { key, value } of this.store.hashes.getRange()) {
      const expiresAtMs = value.readDoubleLE(0);
      if (expiresAtMs > nowMs) yield { key: String(key).slice(1), fields: fieldsOf(value), expiresAtMs };
    }
  }

  /** The entries to write for these hashes, expired others to remove first. */
  writesFor(hashes: HashWrites): Write[] {
    const nowMs = this.now();
    const writes = this.sweep(hashes.size, nowMs);
    for (const [key, { value, ttlMs }] of hashes) {
      const fields = isFlat(value) ? value : hashFields(value);
      // As in Redis, a hash without fields is none.
      if (Object.values(fields).every((field) => field === null)) {
        writes.push({ table: this.store.hashes, key: storeKey(key), value: null });
        continue;
      }
      const expiresAtMs = nowMs + ttlMs;
      this.earliestMs = Math.min(this.earliestMs, expiresAtMs);
      this.earliestSeenMs = Math.min(this.earliestSeenMs, expiresAtMs);
      writes.push({ table: this.store.hashes, key: storeKey(key), value: encode(fields, expiresAtMs) });
    }
    return writes;
  }

  private sweep(looks: number, nowMs: number): Write[] {
    if (nowMs < this.earliestMs) return [];
    this.owedLooks += looks;
    // Another commit under way may be renewing what still looks expired: then later.
    if (this.owedLooks === 0 || this.store.busy) return [];
    const limit = Math.min(this.owedLooks, SWEEP_MAX);
    this.owedLooks -= limit;
    const writes: Write[] = [];
    let seen = 0;
    const range = this.cursor === undefined ? { limit } : { limit, start: this.cursor, exclusiveStart: true };
    for (const { key, value } of this.store.hashes.getRange(range)) {
      seen++;
      this.cursor = String(key);
      const expiresAtMs = value.readDoubleLE(0);
      if (expiresAtMs <= nowMs) writes.push({ table: this.store.hashes, key, value: null });
      else this.earliestSeenMs = Math.min(this.earliestSeenMs, expiresAtMs);
    }
    if (seen < limit) {
      this.cursor = undefined;
      this.owedLooks = 0;
      this.earliestMs = this.earliestSeenMs;
      this.earliestSeenMs = Number.POSITIVE_INFINITY;
    }
    return writes;
  }
}

/** Why the store has no room for a key. */
export function keyTooLong(key: string): string | undefined {
  if (3 * key.length <= KEY_BYTES_MAX) return undefined; // in UTF-8 no unit takes more
  const bytes = Buffer.byteLength(key);
  if (bytes <= KEY_BYTES_MAX) return undefined;
  return `the key takes ${counted(bytes, 'byte')}, the embedded store takes ${counted(KEY_BYTES_MAX, 'byte')}`;
}

/** Checked where a hash is written, whether or not it was asked about: a commit must not fail on it. */
export function mustFit(key: string, step: string): void {
  const why = keyTooLong(key);
  if (why !== undefined) throw new MillraceError('sink', why, { where: step });
}

/** LMDB takes no empty keys. */
const storeKey = (key: string): string => `:${key}`;

/** Whether it is packed as it is. Numbers and flags become texts when they are read, which few of them are. */
function isFlat(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every((field) => field === null || FLAT.has(typeof field));
}

const FLAT: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);

function encode(fields: Readonly<Record<string, unknown>>, expiresAtMs: number): Buffer {
  const packed = packr.pack(fields);
  const bytes = Buffer.allocUnsafe(EXPIRY_SIZE + packed.length);
  bytes.writeDoubleLE(expiresAtMs, 0);
  packed.copy(bytes, EXPIRY_SIZE);
  return bytes;
}

const fieldsOf = (bytes: Buffer): Record<string, string> => hashFields(packr.unpack(bytes.subarray(EXPIRY_SIZE)));
