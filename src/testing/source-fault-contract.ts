import { deepStrictEqual, ok } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { EARLIEST } from '../core/checkpoint.js';
import { MillraceError } from '../core/errors.js';
import type { RawRecord } from '../core/record.js';
import type { Source, SourceDriver, SourceReader } from '../core/source.js';
import { type ContractCheck, checkIn } from './contract.js';
import type { Refusal } from './fault-contract.js';
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
import { range } from './sink-task.js';

/** A source under test, with access to its service. Give its driver short timeouts and few tries. */
export interface SourceFaultWorld {
  readonly driver: SourceDriver;
  readonly source: Source<unknown>;
  /** Appends the records of these numbers to the first partition, in order; readable when it resolves. */
  append(numbers: readonly number[]): Promise<void>;
  numberOf(record: RawRecord): number;
  /** The proxy that only the driver connects through. */
  readonly proxy?: FaultProxy;
  /** Kills the service and starts it with the same data. */
  restart?(): Promise<void>;
  readonly refusedForNow?: Refusal;
  readonly refusedForGood?: Refusal;
  /** A secret that no error may contain. */
  readonly secret?: string;
  close(): Promise<void>;
}

const RECORDS = 120;
/** Records per poll, and polls per epoch. */
const POLL_RECORDS = 7;
const EPOCH_POLLS = 3;
/** The most readings until a fault must occur. */
const READINGS_MAX = 3;
const READING_MS = 60_000;
/** How long a service refuses requests that a connector may retry. */
const REFUSED_MS = 150;
const CLOSE_MS = 10_000;

/**
 * Checks what every source must do during faults: return each record once and in order from the last checkpoint on, and fail with
 * temporary errors with a code.
 *
 * A task reads as under the supervisor: after a failure it is closed and reopened at the last checkpoint, whose source states were
 * stored as JSON. `expected` names the faults, and the worst outcome of each.
 *
 * @example
 * for (const { name, run } of sourceFaults({ 'answer lost': 'goes on', outage: 'is restored' }, openWorld)) it(name, run);
 */
export function sourceFaults(expected: Expected, open: () => Promise<SourceFaultWorld>): readonly ContractCheck[] {
  return (Object.entries(expected) as [FaultName, Outcome][]).map(([fault, worst]) =>
    checkIn(open, `${fault}: it ${worst}`, async (world) => {
      await world.append(range(0, RECORDS));
      const outcome = await trialOf(fault)(world);
      ok(outcomes.indexOf(outcome) <= outcomes.indexOf(worst), `${fault}: it ${outcome}, at worst it ${worst}`);
    }),
  );
}

/** Reads during a fault; resolves with the outcome. */
type Trial = (world: SourceFaultWorld) => Promise<Outcome>;

const after = (restarts: number): Outcome => (restarts > 0 ? 'is restored' : 'goes on');

const trials: Partial<Readonly<Record<FaultName, Trial>>> = {
  outage: async (world) => {
    const { proxy } = world;
    ok(proxy, 'the world has no proxy');
    let shut: Promise<void> | undefined;
    const shutOnce = async () => {
      shut ??= proxy.shut();
      await shut;
    };
    return after(await readThrough(world, { onCheckpoint: shutOnce, onFailure: () => proxy.heal() }));
  },

  restart: async (world) => {
    let restarted: Promise<void> | undefined;
    const restarts = await readThrough(world, {
      onCheckpoint: async () => {
        restarted ??= world.restart?.();
      },
    });
    ok(restarted, 'the world has no restart');
    await restarted;
    return after(restarts);
  },

  async 'refused for now'(world) {
    const refusal = refused(world, 'refusedForNow');
    let healing: Promise<void> | undefined;
    const restarts = await readThrough(world, {
      async onCheckpoint() {
        await refusal.begin();
        healing ??= sleep(REFUSED_MS).then(refusal.end);
      },
      onFailure: refusal.end,
    });
    await healing;
    return after(restarts);
  },

  async 'refused for good'(world) {
    const refusal = refused(world, 'refusedForGood');
    let ended = false;
    await readThrough(world, {
      onCheckpoint: refusal.begin,
      async onEnd(error) {
        if (ended) return false;
        ended = true;
        deepStrictEqual([error.code, error.permanent], ['source', true], error.message);
        mustHide(error, world.secret);
        await refusal.end();
        return true; // a user has fixed the cause and starts the run again
      },
    });
    ok(ended, 'no error was reported');
    return 'ends';
  },

  /** The task is reopened repeatedly and continues from there. */
  crash: async (world) => {
    let restarts = 0;
    for (const records of [3, 7]) {
      restarts += await readThrough(world, { pollRecords: records, epochPolls: 1, diesAtCheckpoints: true });
    }
    return after(restarts);
  },
};

const trialOf = (fault: FaultName): Trial => trials[fault] ?? ((world) => readPlayed(world, fault));

/** A refusal that the service starts and ends once. */
function refused(world: SourceFaultWorld, how: 'refusedForNow' | 'refusedForGood') {
  let begun: Promise<() => Promise<void>> | undefined;
  let taken: Promise<void> | undefined;
  return {
    async begin() {
      const refuse = world[how];
      ok(refuse, `the world has no ${how}`);
      begun ??= refuse();
      await begun;
    },
    async end() {
      ok(begun, 'it failed before it was refused');
      taken ??= begun.then((takeAgain) => takeAgain());
      await taken;
    },
  };
}

async function readPlayed(world: SourceFaultWorld, fault: FaultName): Promise<Outcome> {
  const { proxy } = world;
  ok(proxy, 'the world has no proxy');
  const traffic = await trafficOf(proxy, () => readThrough(world));
  let restarts = 0;
  for (const script of scripts[fault]?.(traffic) ?? []) {
    proxy.play(...script);
    // The measurement may have included a request more or less.
    for (let readings = 0; readings < READINGS_MAX && proxy.struck === 0; readings++)
      restarts += await readThrough(world);
    ok(proxy.struck > 0, `${JSON.stringify(script)} never came`);
    await proxy.heal();
  }
  return after(restarts);
}

interface Reading {
  readonly pollRecords?: number;
  readonly epochPolls?: number;
  readonly diesAtCheckpoints?: boolean;
  onCheckpoint?(): Promise<void>;
  onFailure?(): Promise<void>;
  /** Whether a permanent error was expected: then the run starts again from its checkpoint. */
  onEnd?(error: MillraceError): Promise<boolean>;
}

/** Reads everything, through all failures; resolves with the number of restores. */
async function readThrough(world: SourceFaultWorld, reading: Reading = {}): Promise<number> {
  const { pollRecords = POLL_RECORDS, epochPolls = EPOCH_POLLS, diesAtCheckpoints = false } = reading;
  const giveUpMs = performance.now() + READING_MS;
  const read: number[] = [];
  let checkpoint: Checkpoint = { offset: EARLIEST, place: undefined, count: 0 };
  for (let restarts = 0; ; restarts++) {
    read.length = checkpoint.count;
    let reader: SourceReader | undefined;
    try {
      reader = await openAt(world, checkpoint);
      for (let polls = 1; ; polls++) {
        const { records, ended } = await reader.poll(pollRecords);
        read.push(...records.map((record) => world.numberOf(record)));
        const last = records.at(-1);
        if (ended) {
          deepStrictEqual(read, range(0, RECORDS));
          return restarts;
        }
        if (last === undefined || polls % epochPolls !== 0) continue;
        const offset = last.offset + 1;
        checkpoint = { offset, place: asStored(reader.sourceStateOf?.(offset)), count: read.length };
        await reading.onCheckpoint?.();
        if (diesAtCheckpoints) break;
      }
    } catch (error) {
      if (error instanceof MillraceError && error.permanent && (await reading.onEnd?.(error))) continue;
      mustPass(error, ['source'], world.secret);
      if (performance.now() > giveUpMs) throw error;
      await reading.onFailure?.();
      await sleep(Math.min(500, 20 * 2 ** restarts));
    } finally {
      if (reader) await within(CLOSE_MS, 'closing the reader', reader.close());
    }
  }
}

interface Checkpoint {
  readonly offset: number;
  readonly place: unknown;
  /** The number of records before it. */
  readonly count: number;
}

const openAt = ({ driver, source }: SourceFaultWorld, { offset, place }: Checkpoint): Promise<SourceReader> =>
  driver.open(source, {
    task: { topology: 'contract', partition: 0 },
    partition: 0,
    offset,
    bounded: true,
    step: 'input',
    sourceState: place,
  });

const asStored = (place: unknown): unknown => (place === undefined ? undefined : JSON.parse(JSON.stringify(place)));
