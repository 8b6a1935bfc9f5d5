import { type Database, type Key, open, type RootDatabase } from 'lmdb';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { SchemaText } from '../../src/core/schema.js';

/** One entry to write; `null` removes it. */
export interface Write {
  readonly table: Database<unknown, Key>;
  readonly key: Key;
  readonly value: unknown;
}

/** Called at named points of a commit, so that a test can end the process there. */
export type CommitStep = 'commit:begin' | 'commit:written' | 'commit:done';

export interface StoreHooks {
  readonly onStep?: (step: CommitStep) => void;
}

/** lmdb's own limit of a key, less what its encoding may add. */
export const KEY_BYTES_MAX = 1_900;

/**
 * The embedded store: one LMDB environment whose tables change together in atomic steps.
 *
 * A step that was awaited is on disk (lmdb has synced it): it survives `kill -9` and, as far as the disk keeps its word,
 * a loss of power. A step that failed leaves the outcome unknown, so the store then refuses everything: open it again.
 */
export class Store {
  readonly topics: Database<TopicRow, Key>;
  readonly log: Database<Buffer, Key>;
  readonly checkpoints: Database<unknown, Key>;
  readonly state: Database<Buffer, Key>;
  readonly hashes: Database<Buffer, Key>;
  /** By id; of Avro without references the text alone. */
  readonly schemas: Database<string | SchemaText, Key>;
  readonly owner: Database<unknown, Key>;
  private broken: unknown;
  private inFlight = 0;
  private idle: (() => void)[] = [];

  private constructor(
    readonly path: string,
    readonly root: RootDatabase<unknown, Key>,
    private readonly hooks: StoreHooks,
  ) {
    this.topics = root.openDB('topics', { encoding: 'json' });
    this.log = root.openDB('log', { encoding: 'binary' });
    this.checkpoints = root.openDB('checkpoints', { encoding: 'json' });
    this.state = root.openDB('state', { encoding: 'binary' });
    this.hashes = root.openDB('hashes', { encoding: 'binary' });
    this.schemas = root.openDB('schemas', { encoding: 'json' });
    this.owner = root.openDB('owner', { encoding: 'json' });
  }

  static open(path: string, hooks: StoreHooks): Store {
    try {
      return new Store(path, open({ path, noSubdir: false, maxDbs: 8, encoding: 'binary' }), hooks);
    } catch (cause) {
      throw new MillraceError('state', `cannot open the embedded store: ${messageOf(cause)}`, {
        where: path,
        hint: 'is the folder writable, on a local disk, and made by Millrace?',
        cause,
      });
    }
  }

  /** True while steps are under way: reads do not see them yet. */
  get busy(): boolean {
    return this.inFlight > 0;
  }

  /** Makes all writes one atomic, durable step. */
  async commit(writes: readonly Write[]): Promise<void> {
    this.mustWork();
    this.hooks.onStep?.('commit:begin');
    this.inFlight++;
    try {
      const committed = this.root.batch(() => {
        // Nothing in here may throw: what was queued before would be committed without the rest.
        for (const { table, key, value } of writes) void (value === null ? table.remove(key) : table.put(key, value));
      });
      const flushed = Promise.resolve(this.root.flushed);
      this.hooks.onStep?.('commit:written');
      await committed;
      await flushed;
    } catch (cause) {
      this.broken = cause;
      throw this.failure();
    } finally {
      this.inFlight--;
      if (this.inFlight === 0) for (const wake of this.idle.splice(0)) wake();
    }
    this.hooks.onStep?.('commit:done');
  }

  mustWork(): void {
    if (this.broken !== undefined) throw this.failure();
  }

  /** Waits for steps under way, says a last word, closes; what was not committed is gone. */
  async close(lastWord?: () => Promise<unknown>): Promise<void> {
    this.broken ??= new Error('it is closed');
    if (this.busy) await new Promise<void>((resolve) => this.idle.push(resolve));
    await lastWord?.();
    await this.root.close();
  }

  private failure(): MillraceError {
    return new MillraceError('state', `the embedded store failed: ${messageOf(this.broken)}`, {
      where: this.path,
      hint: 'look for a full disk; what was committed is safe, and a restart goes on from there',
      cause: this.broken,
    });
  }
}

/** What is kept of a topic; its id stands in the keys of its blobs. */
export interface TopicRow {
  readonly id: number;
  readonly partitions: number;
}
