import { deepStrictEqual } from 'node:assert';
import type { Headers, Origin, RawRecord } from '../core/record.js';

/** One behaviour that every connector of a kind must have; run it in any test runner. */
export interface ContractCheck {
  readonly name: string;
  /** Rejects with the violation. */
  run(): Promise<void>;
}

/** A check that opens its own world and always closes it. */
export function checkIn<W extends { close(): Promise<void> }>(
  open: () => Promise<W>,
  name: string,
  body: (world: W) => Promise<void>,
): ContractCheck {
  return {
    name,
    async run() {
      const world = await open();
      try {
        await body(world);
      } finally {
        await world.close();
      }
    },
  };
}

/** Rejects unless `work` rejects with a `MillraceError` of this code. */
export async function mustReject(work: () => unknown, code: string, what: string): Promise<void> {
  let thrown: unknown;
  try {
    await work();
  } catch (error) {
    thrown = error;
  }
  deepStrictEqual((thrown as { code?: unknown } | undefined)?.code, code, what);
}

/** A record in a form that compares by content and is readable in a failure. */
export const legible = ({ timestampMs, key, value, headers = [] }: Omit<RawRecord, 'offset'>) => ({
  timestampMs,
  key: text(key),
  value: text(value),
  headers: headers.map(([name, bytes]) => [name, text(bytes)]),
});

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'));

/** The origin of a test record. */
export const originAt = (offset: number, partition = 0, headers?: Headers): Origin => ({
  topic: 'contract',
  partition,
  offset,
  eventTimeMs: 1_700_000_000_000 + offset,
  receivedAtMs: 0,
  key: Buffer.from(`key-${offset}`),
  raw: Buffer.from(`raw-${offset}`),
  headers,
  order: offset,
});
