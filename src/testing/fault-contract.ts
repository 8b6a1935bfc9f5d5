import { deepStrictEqual, ok } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../core/errors.js';
import type { Delivery } from '../core/kind.js';
import type { SinkDriver } from '../core/sink.js';
import { deliveryOf } from '../topology/index.js';
import { type ContractCheck, checkIn } from './contract.js';
import {
  type Expected,
  type FaultName,
  mustHide,
  mustPass,
  type Outcome,
  outcomes,
  scripts,
  trafficOf,
  within,
} from './fault-list.js';
import type { FaultProxy } from './fault-proxy.js';
import { isDeferred, type OpenTask, openTask, range, type SinkWorld, setUp, write } from './sink-task.js';

/** Makes a service refuse requests; resolves with a function that ends the refusal. */
export type Refusal = () => Promise<() => Promise<void>>;

/** A sink under test, with access to its target. Give its driver short timeouts and few tries. */
export interface SinkFaultWorld extends SinkWorld {
  /** The proxy that only the driver connects through. */
  readonly proxy?: FaultProxy;
  /** Kills the service and starts it with the same data. */
  restart?(): Promise<void>;
  readonly refusedForNow?: Refusal;
  readonly refusedForGood?: Refusal;
  /** A secret that no error may contain. */
  readonly secret?: string;
  /** The key of the n-th value: readers see the values of a key in order, as in `visible`. */
  keyOf?(n: number): unknown;
  /** Only the newest value of a key remains. */
  readonly replaces?: boolean;
  /** Whether the n-th value deletes its key; for `replaces`. */
  takesAway?(n: number): boolean;
}

/** A sink, and what faults may do to it. */
export interface FaultySink {
  readonly mode: SinkDriver['mode'];
  /** Written after the checkpoint from rows that it keeps, which makes an idempotent sink exactly-once. */
  readonly deferred?: boolean;
  readonly expected: Expected;
}

const VALUES = 60;
/** The most epochs until a fault must occur. */
const EPOCHS_MAX = 4;
/** The timeout of an epoch, including faults. */
const EPOCH_MS = 60_000;
/** The timeout of a trial. */
const TRIAL_MS = 120_000;
/** The timeout of a close, whatever hangs. */
const CLOSE_MS = 10_000;

/**
 * Checks what every sink must do during faults. It loses nothing. It duplicates nothing, unless it only appends. It shows nothing
 * before its checkpoint if it promises exactly-once. A repeated commit has no effect. The order of each key is kept. Failures are
 * errors with a code that says whether a retry may help.
 *
 * A task runs as under the supervisor: after a failure it is closed and reopened from its checkpoint, and later values are written
 * again, in other batches. `expected` names the faults, and the worst outcome of each.
 *
 * @example
 * const expected = { 'request cut': 'goes on', 'refused for good': 'ends', crash: 'is restored' } as const;
 * for (const { name, run } of sinkFaults({ mode: 'idempotent', expected }, openWorld)) it(name, run);
 */
export function sinkFaults(
  { mode, deferred = false, expected }: FaultySink,
  open: () => Promise<SinkFaultWorld>,
): readonly ContractCheck[] {
  return (Object.entries(expected) as [FaultName, Outcome][]).map(([fault, worst]) =>
    checkIn(open, `${fault}: it ${worst}`, async (world) => {
      deepStrictEqual([world.driver.mode, isDeferred(world)], [mode, deferred]);
      await setUp(world);
      const task = new SupervisedTask(world);
      await task.epoch();
      const restartsBefore = task.restarts;
      const ended = await within(TRIAL_MS, fault, trials[fault](world, task));
      const outcome = ended ? 'ends' : task.restarts > restartsBefore ? 'is restored' : 'goes on';
      ok(outcomes.indexOf(outcome) <= outcomes.indexOf(worst), `${fault}: it ${outcome}, at worst it ${worst}`);
      await task.epoch(); // and continues
      await task.commitAgain();
      await task.close();
      await mustHold(world, task.stored);
    }),
  );
}

/** Does something to the world while the task works; resolves with whether the run ends. */
type Trial = (world: SinkFaultWorld, task: SupervisedTask) => Promise<boolean>;

const played: (fault: FaultName) => Trial = (fault) => async (world, task) => {
  const proxy = given(world.proxy, fault);
  const traffic = await trafficOf(proxy, () => task.epoch());
  for (const script of scripts[fault]?.(traffic) ?? []) {
    proxy.play(...script);
    // Timing may decide how values are batched, and so where the byte of the fault is.
    for (let epochs = 0; epochs < EPOCHS_MAX && proxy.struck === 0; epochs++) await task.epoch();
    ok(proxy.struck > 0, `${JSON.stringify(script)} never came`);
    await proxy.heal();
  }
  return false;
};

const trials: Readonly<Record<FaultName, Trial>> = {
  'request cut': played('request cut'),
  'answer lost': played('answer lost'),
  'cut again': played('cut again'),
  hang: played('hang'),
  slow: played('slow'),

  async outage(world, task) {
    const proxy = given(world.proxy, 'outage');
    await proxy.shut();
    await task.epoch({ onFailure: () => proxy.heal() });
    return false;
  },

  async restart(world, task) {
    let restarted: Promise<void> | undefined;
    await task.epoch({
      async beforeCommit() {
        restarted ??= given(world.restart, 'restart').call(world);
        await restarted;
      },
    });
    return false;
  },

  async 'refused for now'(world, task) {
    const takeAgain = await given(world.refusedForNow, 'refused for now')();
    let taken: Promise<void> | undefined;
    const heal = async () => {
      taken ??= takeAgain();
      await taken;
    };
    await Promise.all([task.epoch({ onFailure: heal }), sleep(150).then(heal)]);
    return false;
  },

  async 'refused for good'(world, task) {
    const takeAgain = await given(world.refusedForGood, 'refused for good')();
    const [error, again] = await task.attempt();
    ok(error instanceof MillraceError, `a crash without a type: ${error}`);
    deepStrictEqual([error.code, error.permanent], ['sink', true], error.message);
    mustHide(error, world.secret);
    ok(again !== undefined, 'a failed writer continues as if nothing were missing');
    await takeAgain();
    return true;
  },

  async crash(world, task) {
    const delivery = promiseOf(world);
    for (const moment of ['written', 'prepared', 'stored', 'committed'] as const) {
      const dead = await task.die(moment);
      if (moment === 'prepared' && delivery === 'exactly-once') await mustHold(world, task.stored);
      await task.epoch();
      // A suspended owner continues: its work has no effect, and it may get an error.
      const numbers = range(dead.next + VALUES, VALUES);
      const woken = async () => {
        if (moment === 'stored' || moment === 'committed') await dead.writer.commit?.();
        await write(world, dead.writer, numbers, 0);
        await dead.writer.prepare?.();
      };
      if (delivery !== 'at-least-once') await woken().catch((error) => mustBeTold(error, world));
      await dead.close().catch(() => undefined); // it has lost its task
    }
    if (delivery === 'at-least-once')
      ok((await world.visible()).length > task.stored, 'it repeats nothing after a crash, and promises less than that');
    return false;
  },
};

/** The error of an owner that has lost its task must not look like a bug of Millrace. */
function mustBeTold(error: unknown, { secret }: SinkFaultWorld): void {
  ok(error instanceof MillraceError && error.code !== 'internal', String((error as Error)?.stack));
  mustHide(error, secret);
}

/** The guarantee as `check` prints it. */
const promiseOf = (world: SinkFaultWorld): Delivery => deliveryOf(world.driver.mode, isDeferred(world));

interface Meanwhile {
  beforeCommit?(): Promise<void>;
  onFailure?(): Promise<void>;
}

/** One task that is reopened from its checkpoint after each failure. */
class SupervisedTask {
  restarts = 0;
  /** The number of values in checkpoints. */
  stored = 0;
  private task: OpenTask | undefined;

  constructor(private readonly world: SinkFaultWorld) {}

  /** Writes the next values until a checkpoint has them. */
  async epoch({ beforeCommit, onFailure }: Meanwhile = {}): Promise<void> {
    const until = this.stored + VALUES;
    const giveUpMs = performance.now() + EPOCH_MS;
    for (let failures = 0; ; failures++) {
      try {
        this.task ??= await openTask(this.world, 0);
        if (this.task.next < until) {
          await this.write(this.task, until, failures);
          await beforeCommit?.();
          await this.task.commit(until);
          this.task = { ...this.task, next: until };
        }
        this.stored = until;
        return;
      } catch (error) {
        mustPass(error, ['sink', 'source', 'state'], this.world.secret);
        if (performance.now() > giveUpMs) throw error;
        this.restarts += 1;
        await this.close();
        await onFailure?.();
        await sleep(Math.min(500, 20 * 2 ** failures));
      }
    }
  }

  /** Repeats a commit, as a run does if the answer was lost. */
  async commitAgain(): Promise<void> {
    await this.task?.writer.commit?.();
  }

  /** Runs an epoch that must fail, and the next one on the same writer; resolves with both errors. */
  async attempt(): Promise<readonly [unknown, unknown]> {
    this.task ??= await openTask(this.world, 0);
    const { task } = this;
    const until = this.stored + VALUES;
    const errorOf = (work: () => Promise<void>) =>
      work().then(
        () => undefined,
        (error: unknown) => error,
      );
    const first = await errorOf(async () => {
      await this.write(task, until, 0);
      await task.commit(until);
    });
    const second = await errorOf(() => task.commit(until));
    await this.close();
    return [first, second];
  }

  /** Stops an epoch at a point, and returns the task as it was before it. What fails on the way there is tried again. */
  async die(moment: 'written' | 'prepared' | 'stored' | 'committed'): Promise<OpenTask> {
    for (let failures = 0; ; failures++) {
      const dead = this.task ?? (await openTask(this.world, 0));
      this.task = dead;
      this.stored = Math.max(this.stored, dead.next); // a commit whose answer was lost may have been stored
      const until = this.stored + VALUES;
      try {
        await this.write(dead, until, 0);
        if (moment === 'prepared') await dead.writer.prepare?.();
        if (moment === 'stored') await dead.store(until);
        if (moment === 'committed') await dead.commit(until);
        if (moment === 'stored' || moment === 'committed') this.stored = until;
        this.task = undefined;
        return dead;
      } catch (error) {
        mustPass(error, ['sink', 'source', 'state'], this.world.secret);
        if (failures === 3) throw error;
        await this.close();
      }
    }
  }

  async close(): Promise<void> {
    const { task } = this;
    this.task = undefined;
    if (task)
      await within(
        CLOSE_MS,
        'closing the task',
        task.close().catch(() => undefined),
      );
  }

  /** Writes in batches, and after each failure in other batches. */
  private async write({ writer, next }: OpenTask, until: number, failures: number): Promise<void> {
    const piece = [27, 13, 60, 41][failures % 4] as number;
    for (let from = next; from < until; from += piece) {
      await write(this.world, writer, range(from, Math.min(piece, until - from)), 0);
    }
  }
}

/** Checks the guarantee for so many values. */
async function mustHold(world: SinkFaultWorld, count: number): Promise<void> {
  const { replaces, keyOf, takesAway = () => false } = world;
  const all = range(0, count);
  const found = await world.visible();
  const visible = [...found].sort((a, b) => a - b);
  if (replaces && keyOf) {
    const newest = new Map(all.map((n) => [keyOf(n), n]));
    return deepStrictEqual(
      visible,
      [...newest.values()].filter((n) => !takesAway(n)).sort((a, b) => a - b),
    );
  }
  deepStrictEqual(promiseOf(world) === 'at-least-once' ? [...new Set(visible)] : visible, all);
  if (keyOf) mustBeInOrder(found, keyOf);
}

/** Checks the order of the first occurrence of each value; repetitions may come at any time. */
function mustBeInOrder(visible: readonly number[], keyOf: (n: number) => unknown): void {
  const last = new Map<unknown, number>();
  for (const n of new Set(visible)) {
    const before = last.get(keyOf(n)) ?? -1;
    ok(before < n, `of key ${String(keyOf(n))} value ${n} came after ${before}`);
    last.set(keyOf(n), n);
  }
}

function given<T>(part: T | undefined, fault: FaultName): T {
  ok(part !== undefined, `the world has nothing for '${fault}'`);
  return part;
}
