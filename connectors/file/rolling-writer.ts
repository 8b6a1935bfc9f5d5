import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { UnfinishedOutput } from '../../src/core/connector.js';
import { MillraceError } from '../../src/core/errors.js';
import type { Origin } from '../../src/core/record.js';
import { encodingWriter, type SinkWriter } from '../../src/core/sink.js';
import type { WriteFiles } from './kinds.js';
import type { Row, RowEncoder } from './row-encoder.js';

/** The most open files, if each hour or day has its own; before more are opened, the longest without a row is completed. */
const OPEN_MAX = 32;

/** A file in progress, invisible to readers. */
export interface Part {
  /** Appends one row; returns a promise if it has to write first. */
  append(row: Row): void | Promise<void>;
  /** The size of the rows that this process has appended. */
  readonly bytes: number;
  /** Makes the appended rows durable; resolves with what is needed to find them again (JSON). */
  keep(): Promise<unknown>;
  /** The same, as the last call; resolves with what is needed to make the file visible (JSON). */
  complete(): Promise<unknown>;
  close(): Promise<void>;
}

/** A store of parts. */
export interface PartStore {
  create(name: string): Promise<Part>;
  /** Continues a kept part; `undefined` if the file is visible already, from another history of this task. */
  adopt(name: string, kept: unknown): Promise<Part | undefined>;
  /** Makes a complete part visible; may be repeated. */
  show(name: string, complete: unknown): Promise<void>;
  /** Called after a checkpoint of this owner: deletes what no committable contained when the store opened. */
  sweep(): Promise<void>;
}

interface Open {
  readonly name: string;
  readonly key: string;
  readonly part: Part;
  rows: number;
  bytes: number;
  readonly sinceMs: number;
}

interface Committable {
  readonly next: number;
  readonly open: readonly (Omit<Open, 'part'> & { readonly kept: unknown })[];
  readonly complete: readonly { readonly name: string; readonly rows: number; readonly complete: unknown }[];
  /** The location of the visible files. */
  readonly location: PartLocation;
}

export interface PartLocation {
  readonly connector: 'file' | 's3';
  readonly folder: string;
}

/**
 * The invisible files of a connector's committable: incomplete ones, and complete ones that should have become visible after its
 * checkpoint and, as far as can be checked, are not.
 */
export function unfinishedParts(
  committable: unknown,
  connector: PartLocation['connector'],
): readonly UnfinishedOutput[] {
  const { open, complete, location } = (committable ?? {}) as Committable;
  if (location?.connector !== connector) return [];
  const isHere = connector === 'file';
  const said = isHere ? 'complete, not shown yet' : 'complete; shown already, unless the process died before it was';
  const hidden = complete.filter(({ name }) => !isHere || !existsSync(join(location.folder, name)));
  return [
    ...open.map(({ name, rows }) => ({ what: `${name} (${rows} rows)`, isOpen: true })),
    ...hidden.map(({ name, rows }) => ({ what: `${name} (${rows} rows, ${said})`, isOpen: false })),
  ];
}

export interface RollingWriterOptions extends Pick<WriteFiles, 'by' | 'roll'> {
  readonly encoder: RowEncoder;
  readonly store: PartStore;
  readonly location: PartLocation;
  /** The parts of file names before and after their number. */
  readonly prefix: string;
  readonly ending: string;
  readonly now: () => number;
}

/**
 * Writes rows into parts and completes a part when it is full by rows, bytes or age, or at the end of the run. A part becomes
 * visible after the checkpoint whose committable has it complete. So every row is in exactly one file, whatever crashes in between.
 *
 * Memory: the buffer of a part, times the open parts (one, or `OPEN_MAX`).
 */
export class RollingWriter implements SinkWriter {
  private next = 0;
  /** By folder; the longest without a row is the first. */
  private readonly open = new Map<string, Open>();
  /** The part of the last row. */
  private latest: Open | undefined;
  private full: Open[] = [];
  /** Parts that were completed since the last epoch. */
  private ready: Committable['complete'][number][] = [];
  /** The complete parts in the committable of the current or last epoch. */
  private complete: Committable['complete'] = [];
  private finishing = false;
  private swept = false;
  /** Some rows were not stored: later parts must not look complete. */
  private failure: unknown;
  private isClosed = false;

  readonly unrepresentable: NonNullable<SinkWriter['unrepresentable']>;
  readonly write: SinkWriter['write'];

  constructor(private readonly options: RollingWriterOptions) {
    const encoding = encodingWriter<Row>({
      encode: (value) => options.encoder.encode(value),
      append: (rows, origins) => this.orFail(() => this.add(rows, origins)),
    });
    this.unrepresentable = encoding.unrepresentable;
    this.write = encoding.write;
  }

  /** Continues from the last committable. */
  async restore(committable: Committable | undefined): Promise<void> {
    if (committable === undefined) return;
    const { store } = this.options;
    this.next = committable.next;
    for (const { name, complete } of committable.complete) await store.show(name, complete);
    for (const { kept, ...known } of committable.open) {
      const part = await store.adopt(known.name, kept);
      if (part) this.open.set(known.key, { ...known, part });
    }
  }

  private async add(rows: readonly Row[], origins: readonly Origin[]): Promise<void> {
    const { roll } = this.options;
    for (const [i, row] of rows.entries()) {
      const key = this.keyOf(origins[i]);
      const into = this.open.get(key) ?? (await this.begin(key));
      if (into !== this.latest) this.moveToEnd(into);
      const before = into.part.bytes;
      const written = into.part.append(row);
      if (written) await written;
      into.rows += 1;
      into.bytes += into.part.bytes - before;
      if (into.rows >= roll.rows || into.bytes >= roll.bytes) this.fill(into);
    }
  }

  finish(): void {
    this.finishing = true;
  }

  isDue(): boolean {
    return this.open.size > 0 && (this.finishing || this.aged().length > 0);
  }

  prepare(): Promise<Committable | undefined> {
    return this.orFail(() => this.keepAll());
  }

  private async keepAll(): Promise<Committable | undefined> {
    for (const each of this.finishing ? [...this.open.values()] : this.aged()) this.fill(each);
    await this.completeFull();
    const complete = [...this.complete, ...this.ready];
    this.complete = complete;
    this.ready = [];
    const open: Committable['open'][number][] = [];
    for (const { part, ...known } of this.open.values()) open.push({ ...known, kept: await part.keep() });
    return this.next === 0 ? undefined : { next: this.next, open, complete, location: this.options.location };
  }

  async commit(): Promise<void> {
    const { store } = this.options;
    for (const { name, complete } of this.complete) await store.show(name, complete);
    this.complete = [];
    if (this.swept) return;
    await store.sweep();
    this.swept = true;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const parts = [...this.open.values(), ...this.full].map(({ part }) => part.close());
    this.open.clear();
    this.full = [];
    await Promise.allSettled(parts); // what was not kept is written again
  }

  private async orFail<T>(work: () => Promise<T>): Promise<T> {
    if (this.failure !== undefined) throw this.failure;
    try {
      return await work();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  private async begin(key: string): Promise<Open> {
    await this.makeRoom();
    const { prefix, ending, store, encoder, now } = this.options;
    const name = `${key}${prefix}-${String(this.next).padStart(8, '0')}${ending}`;
    this.next += 1;
    const part = await store.create(name);
    if (this.isClosed) {
      await part.close();
      throw new MillraceError('sink', 'the sink was closed while it began a file', { where: name });
    }
    const begun = { name, key, part, rows: 0, bytes: 0, sinceMs: now() };
    this.open.set(key, begun);
    if (encoder.header !== undefined) await begun.part.append(encoder.header);
    return begun;
  }

  /**
   * Completes full parts, so that they are not open until the epoch ends. They stay invisible: the next committable has them. If
   * there is none, they are swept as what no committable contained.
   */
  private async makeRoom(): Promise<void> {
    const [longest] = this.open.values();
    if (longest && this.open.size >= OPEN_MAX) this.fill(longest);
    await this.completeFull();
  }

  /** A part stays among the full ones until it is complete, so that it is closed if that fails. */
  private async completeFull(): Promise<void> {
    for (let first = this.full[0]; first; first = this.full[0]) {
      const { name, rows, part } = first;
      this.ready.push({ name, rows, complete: await part.complete() });
      this.full.shift();
    }
  }

  private fill(each: Open): void {
    this.open.delete(each.key);
    this.full.push(each);
  }

  private moveToEnd(each: Open): void {
    this.open.delete(each.key);
    this.open.set(each.key, each);
    this.latest = each;
  }

  private aged(): Open[] {
    const dueMs = this.options.now() - this.options.roll.ageMs;
    return [...this.open.values()].filter(({ sinceMs }) => sinceMs <= dueMs);
  }

  /** The folder of a record's event time. */
  private keyOf(origin: Origin | undefined): string {
    const { by } = this.options;
    if (by === undefined) return '';
    const time = new Date(Math.min(LATEST_MS, Math.max(0, origin?.eventTimeMs ?? 0))).toISOString();
    const date = `date=${time.slice(0, 10)}/`;
    return by === 'day' ? date : `${date}hour=${time.slice(11, 13)}/`;
  }
}

/** The last moment of the year 9999. */
const LATEST_MS = 253_402_300_799_999;
