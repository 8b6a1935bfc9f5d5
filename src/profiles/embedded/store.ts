import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, type Key, open, type RootDatabase } from 'lmdb';
import { MillraceError, messageOf } from '../../core/errors.js';
import type { SchemaText } from '../../core/schema.js';
import { withPrivateFiles } from '../../util/private-files.js';
import { mustBeWhole } from './whole-file.js';

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

/** What must be left on the disk beside the values of a step: pages that lmdb writes anew, and the work of others. */
const ROOM_BYTES = 16 * 2 ** 20;
const PAGE_BYTES = 4_096;

/** lmdb's own limit of a key, less what its encoding may add. */
export const KEY_BYTES_MAX = 1_900;

/**
 * The embedded store: one LMDB environment whose tables change together in atomic steps.
 *
 * A step that was awaited is on disk (lmdb has synced it): it survives `kill -9` and, as far as the disk keeps its word,
 * a loss of power. A step for which the disk has no room changes nothing; those under way with it may fail too, and the store
 * continues from what it has. Where lmdb itself could not write, the store refuses everything from then on.
 *
 * Whoever opens the store takes its token, which each step checks where it is applied: steps of an earlier owner change nothing.
 */
export class Store {
  readonly topics: Database<TopicRow, Key>;
  readonly log: Database<Buffer, Key>;
  readonly checkpoints: Database<unknown, Key>;
  readonly state: Database<Buffer, Key>;
  readonly hashes: Database<Buffer, Key>;
  /** By id; of Avro without references the text alone. */
  readonly schemas: Database<string | SchemaText, Key>;
  private readonly ownership: Database<unknown, Key>;
  /** Of this owner: a later one has a higher one, and no step of this one counts any more. */
  private readonly token: number;
  private broken: MillraceError | undefined;
  private readonly rereading: (() => void)[] = [];
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
    this.ownership = root.openDB('ownership', { encoding: 'json', useVersions: true });
    this.token = root.transactionSync(() => {
      const token = (this.ownership.getEntry(OWNER)?.version ?? 0) + 1;
      this.ownership.putSync(OWNER, null, token);
      return token;
    });
  }

  static open(path: string, hooks: StoreHooks): Store {
    mustBeWhole(path);
    try {
      const files = ['data.mdb', 'lock.mdb'].map((name) => join(path, name));
      return new Store(
        path,
        withPrivateFiles(files, () => open({ path, ...LMDB })),
        hooks,
      );
    } catch (cause) {
      throw new MillraceError('state', `cannot open the embedded store: ${messageOf(cause)}`, {
        where: path,
        hint: 'check that the folder is writable, on a local disk, and was created by Millrace',
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
      this.mustHaveRoom(writes);
      const committed = this.batch(writes);
      this.hooks.onStep?.('commit:written');
      await committed;
    } catch (error) {
      if (error instanceof MillraceError) this.broken ??= error;
      else this.broken = this.lost(error);
      throw this.broken;
    } finally {
      this.inFlight--;
      if (this.inFlight === 0) this.settle();
    }
    this.hooks.onStep?.('commit:done');
  }

  /** Calls back when steps have failed and everything under way has ended: what is kept in memory of them is not there. */
  onFailedSteps(reread: () => void): void {
    this.rereading.push(reread);
  }

  mustWork(): void {
    if (this.broken !== undefined) throw this.broken;
  }

  /** Waits for steps under way, closes; what was not committed is gone. */
  async close(): Promise<void> {
    this.broken ??= new MillraceError('state', 'the embedded store is closed', { where: this.path, permanent: true });
    if (this.busy) await new Promise<void>((resolve) => this.idle.push(resolve));
    await this.root.close();
  }

  private async batch(writes: readonly Write[]): Promise<void> {
    let isOwn: boolean;
    try {
      isOwn = await this.ownership.ifVersion(OWNER, this.token, () => {
        // Nothing in here may throw: what was queued before would be committed without the rest.
        for (const { table, key, value } of writes) void (value === null ? table.remove(key) : table.put(key, value));
      });
    } catch (error) {
      throw await causeOf(error);
    }
    if (isOwn) return;
    throw new MillraceError('fenced', 'another process has taken the embedded store', {
      where: this.path,
      hint: 'this step is not in it, and no other one of this process will be: end this process',
      permanent: true,
    });
  }

  private settle(): void {
    if (this.broken?.permanent === false) {
      this.root.resetReadTxn();
      for (const reread of this.rereading) reread();
      this.broken = undefined;
    }
    for (const wake of this.idle.splice(0)) wake();
  }

  /** lmdb is not asked for what cannot be: its own message of a failed write may run over the memory that it has for it. */
  private mustHaveRoom(writes: readonly Write[]): void {
    const { bavail, bsize } = statfsSync(this.path);
    let bytes = ROOM_BYTES;
    for (const { value } of writes) bytes += PAGE_BYTES + (value instanceof Uint8Array ? value.length : 0);
    if (bavail * bsize >= bytes) return;
    throw new MillraceError('state', `the disk is full: ${Math.floor((bavail * bsize) / 2 ** 20)} MiB are left`, {
      where: this.path,
      hint: `free at least ${Math.ceil(bytes / 2 ** 20)} MiB: all commits are safe, and the run continues from the last one`,
    });
  }

  private lost(cause: unknown): MillraceError {
    return new MillraceError('state', `the embedded store failed: ${messageOf(cause)}`, {
      where: this.path,
      hint: 'check the quota and the disk. All commits are safe, and a new start continues from the last one',
      permanent: true,
      cause,
    });
  }
}

/**
 * Batches of our own only: of those that lmdb makes of an event's writes it makes promises that nobody gets hold of, and a full
 * disk would end the process by their rejection. And a commit resolves once it is synced: where lmdb syncs it later, beside the
 * next one, a store in which a commit has failed cannot be closed, since it waits for that one's sync.
 */
const LMDB = {
  noSubdir: false,
  maxDbs: 8,
  encoding: 'binary',
  eventTurnBatching: false,
  overlappingSync: false,
} as const;

/** In its table: the value is of no use, the version is the token of the owner. */
const OWNER = 'owner';

/** How long lmdb may take to say why a commit failed. */
const CAUSE_MS = 1_000;

/** lmdb rejects first, and gives the reason by a promise of its own. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<never> };
  if (commitError === undefined) return error;
  const cause = commitError.catch((why: unknown) => why);
  return Promise.race([cause, sleep(CAUSE_MS, error, { ref: false })]);
}

/** How much of each partition of a topic is kept: by the age of its records, and by its size. */
export interface Retention {
  readonly ms?: number;
  readonly bytes?: number;
}

/** What is kept of a topic; its id is part of the keys of its blobs. */
export interface TopicRow {
  readonly id: number;
  readonly partitions: number;
  /** Everything is kept without it. */
  readonly retention?: Retention;
}
