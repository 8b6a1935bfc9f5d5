import type { OutgoingRecord } from '../../src/core/record.js';
import type { Run } from '../pairs.js';

export const PARTITIONS = 4;
/** Records of one call. */
export const CHUNK = 10_000;
/** Bytes that a broker gives of a partition at a time: as our own reader asks for. */
export const FETCH_BYTES = 2 * 1024 * 1024;

/** A client that carries records to a topic and from one. */
export interface Carrier {
  readonly name: string;
  /** Resolves with how many records are safe. */
  write(topic: string, records: readonly OutgoingRecord[]): Promise<number>;
  /** Reads committed records until `reader` has what it wants: of all partitions from their start, or of one from an offset. */
  read(topic: string, reader: Reader, from?: number): Promise<void>;
  close(): Promise<void>;
}

/** What is done with records that a client has read. */
export interface Reader {
  /** The client is about to ask for the first ones: it has joined its group, and knows where it begins. */
  begin(): void;
  record(key: Uint8Array | null, value: Uint8Array | null): void;
  readonly whole: Promise<unknown>;
}

const VALUE_BYTES = 100;

export const records = (count: number): OutgoingRecord[] =>
  Array.from({ length: count }, (_, n) => ({
    key: Buffer.from(String(n).padStart(8, '0')),
    value: Buffer.alloc(VALUE_BYTES, n % 251),
    timestampMs: 1_700_000_000_000 + n,
  }));

export function* inChunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += CHUNK) yield all.slice(from, from + CHUNK);
}

/** Measures what is read, and says when all of it has come. */
export class Meter implements Reader {
  private read = 0;
  private bytes = 0;
  private started: { readonly ms: number; readonly cpu: NodeJS.CpuUsage } | undefined;
  private finish: (run: Run) => void = () => undefined;
  readonly whole = new Promise<Run>((resolve) => {
    this.finish = resolve;
  });

  constructor(private readonly count: number) {}

  begin(): void {
    this.started ??= { ms: performance.now(), cpu: process.cpuUsage() };
  }

  record(key: Uint8Array | null, value: Uint8Array | null): void {
    this.bytes += (key?.length ?? 0) + (value?.length ?? 0);
    this.read += 1;
    if (this.read !== this.count || this.started === undefined) return;
    if (this.bytes !== this.count * (VALUE_BYTES + 8)) throw new Error(`${this.bytes} bytes were read`);
    const { user, system } = process.cpuUsage(this.started.cpu);
    this.finish({
      records: this.count,
      seconds: (performance.now() - this.started.ms) / 1_000,
      cpuSeconds: (user + system) / 1e6,
    });
  }
}
