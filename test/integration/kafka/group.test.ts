import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { Load } from '../../chaos/load.js';
import { verdict } from '../../chaos/verdict.js';
import type { WorkerOptions } from '../../chaos/worker.js';
import { type Worker, Workers } from '../../chaos/workers.js';
import { broker, fresh, open } from './world.js';

const TASKS = 6;
const PER_SECOND = 1_500;
const SESSION_MS = 6_000;
/** Beyond what a test waits. */
const LONG_SESSION_MS = 45_000;

let kafka: Kafka;
let workers: Workers;
let load: Load;
let options: WorkerOptions;
let writing: Promise<void>;

beforeEach(async () => {
  const name = fresh('group');
  const topics = { clicks: `${name}.clicks`, outcomes: `${name}.outcomes`, scored: `${name}.scored` };
  options = { brokers: [broker()], prefix: name, topics, sessionTimeoutMs: SESSION_MS, alone: false };
  kafka = await open({ prefix: name });
  await kafka.createTopic(topics.clicks, TASKS);
  await kafka.createTopic(topics.outcomes, TASKS);
  workers = new Workers(options);
  load = new Load(kafka.producer(), topics, 7);
  writing = load.run(1_000_000, PER_SECOND);
});

afterEach(async () => {
  load.stop();
  await writing;
  await workers.end();
  for (const topic of await topicsOf()) await kafka.deleteTopic(topic);
  await kafka.close();
});

const topicsOf = async (): Promise<string[]> => {
  const { clicks, outcomes, scored } = options.topics;
  const changelogs = ['clicks', 'reference'].map((name) => `${options.prefix}.${name}.changelog`);
  return [clicks, outcomes, scored, `${scored}.dead`, `${scored}.reference`, `${scored}.reference.dead`, ...changelogs];
};

/** Ends the input and the workers, and asks who knows nothing of Millrace, when the rest has been read. */
async function expectExact(): Promise<void> {
  load.stop();
  await writing;
  await workers.end();
  const { compared, wrong } = await verdict(options);
  expect(compared.records).toBe(load.written);
  expect(compared.predictions).toBe(load.written);
  expect(compared.buckets).toBeGreaterThan(50);
  expect(wrong).toEqual(Object.fromEntries(Object.keys(wrong).map((name) => [name, 0])));
}

/** Resolves when each task has stored a checkpoint from now on, and so has restored what it begins with. */
async function eachStored(by: readonly Worker[]): Promise<void> {
  await workers.nextStoredMs([...Array(TASKS).keys()], Date.now(), by);
}

const ownersOf = (living: readonly Worker[]) =>
  new Map(living.flatMap((worker) => worker.tasks.map((task) => [task, worker.id] as const)));

/** Tasks whose owner is the same as before. */
const unmoved = (before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number[] =>
  [...after].filter(([task, owner]) => before.get(task) === owner).map(([task]) => task);

/** Tasks that kept their owner were not begun anew, and went on storing checkpoints. */
async function expectUntouched(what: string, tasks: readonly number[], fromMs: number): Promise<void> {
  expect(tasks.length).toBeGreaterThan(0);
  await workers.nextStoredMs(tasks, Date.now(), workers.living);
  const gaps = tasks.map((task) => workers.longestGapMs(task, fromMs, Date.now()));
  process.stdout.write(
    `${what}: longest time between checkpoints of the ${tasks.length} unmoved tasks ${Math.max(...gaps)} ms\n`,
  );
  expect(workers.restored.filter(({ task, atMs }) => atMs >= fromMs && tasks.includes(task))).toEqual([]);
}

describe('processes that share the tasks of a topology', () => {
  it('grow from one to three and shrink to two, without a stop for tasks that stay', async () => {
    const first = workers.start();
    await workers.settled([first], TASKS);
    await eachStored([first]);

    let owners = ownersOf([first]);
    let sinceMs = Date.now();
    const second = workers.start();
    const third = workers.start();
    await workers.settled([first, second, third], TASKS);
    let now = ownersOf([first, second, third]);
    await expectUntouched('one to three', unmoved(owners, now), sinceMs);
    expect(unmoved(owners, now)).toHaveLength(2);
    await eachStored([first, second, third]);

    owners = now;
    sinceMs = Date.now();
    second.signal('SIGTERM');
    expect(await second.ended).toBe(0);
    const leftMs = Date.now();
    await workers.settled([first, third], TASKS);
    now = ownersOf([first, third]);
    await expectUntouched('three to two', unmoved(owners, now), sinceMs);
    expect(unmoved(owners, now)).toHaveLength(4);
    const moved = [...owners].filter(([, owner]) => owner === second.id).map(([task]) => task);
    const handOver = await workers.nextStoredMs(moved, leftMs, [first, third]);
    process.stdout.write(`three to two: moved tasks commit again after ${handOver.join(', ')} ms\n`);
    await expectExact();
  });

  it('take over from one that is killed: at once where its supervisor tells, after its session where nobody does', async () => {
    // Who waits for the end of this session waits longer than the test.
    const all = [workers.start(), workers.start(), workers.start({ sessionTimeoutMs: LONG_SESSION_MS })];
    await workers.settled(all, TASKS);
    await eachStored(all);
    const [first, second, third] = all as [Worker, Worker, Worker];

    let owners = ownersOf(all);
    const lostBy = ({ id }: Worker) => [...owners].filter(([, owner]) => owner === id).map(([task]) => task);
    let killedMs = Date.now();
    third.signal('SIGKILL');
    await third.ended;
    await kafka.removeMember('clicks', third.memberIds.get('clicks') as string);
    await workers.settled([first, second], TASKS);
    const told = await workers.nextStoredMs(lostBy(third), killedMs, [first, second]);
    process.stdout.write(`killed and told: its tasks commit again after ${told.join(', ')} ms\n`);
    expect(Math.max(...told)).toBeLessThan(LONG_SESSION_MS);
    await expectUntouched('killed and told', unmoved(owners, ownersOf([first, second])), killedMs);

    owners = ownersOf([first, second]);
    killedMs = Date.now();
    second.signal('SIGKILL');
    await second.ended;
    await workers.settled([first], TASKS);
    const untold = await workers.nextStoredMs(lostBy(second), killedMs, [first]);
    process.stdout.write(`killed, not told: its tasks commit again after ${untold.join(', ')} ms\n`);
    await expectUntouched('killed, not told', unmoved(owners, ownersOf([first])), killedMs);
    await expectExact();
  });

  it('stand by for each other: who takes over reads only the rest, and who is new takes over when it has read all', async () => {
    const [first, second] = [workers.start({ standbys: 1 }), workers.start({ standbys: 1 })] as const;
    await workers.settled([first, second], TASKS, 60_000);
    await sleep(4_000);
    const owners = ownersOf([first, second]);
    const lost = [...owners].filter(([, owner]) => owner === second.id).map(([task]) => task);
    const restoredBy = (worker: Worker, sinceMs: number) =>
      workers.restored.filter(({ worker: id, atMs }) => id === worker.id && atMs >= sinceMs);

    const killedMs = Date.now();
    second.signal('SIGKILL');
    await second.ended;
    await kafka.removeMember('clicks', second.memberIds.get('clicks') as string);
    await workers.settled([first], TASKS);
    await workers.nextStoredMs(lost, killedMs, [first]);
    const taken = restoredBy(first, killedMs);
    expect(taken.map(({ task }) => task).sort()).toEqual(lost);
    expect(taken.every(({ fromStandby }) => fromStandby)).toBe(true);
    const ends = await kafka.endOffsets(`${options.prefix}.clicks.changelog`);
    for (const { task, records } of taken) expect(records).toBeLessThan((ends[task] as number) / 3);
    const again = await workers.nextStoredMs(lost, killedMs, [first]);
    process.stdout.write(`killed with standbys: its tasks commit again after ${again.join(', ')} ms\n`);
    await expectUntouched('killed with standbys', unmoved(owners, ownersOf([first])), killedMs);

    const startedMs = Date.now();
    const third = workers.start({ standbys: 1 });
    await workers.settled([first, third], TASKS, 60_000);
    await expect.poll(() => restoredBy(third, startedMs), { timeout: 20_000 }).toHaveLength(TASKS / 2);
    expect(restoredBy(third, startedMs).every(({ fromStandby }) => fromStandby)).toBe(true);
    await expectExact();
  });

  it('outlast one that sleeps longer than its session and wakes up: it commits nothing, lets go, joins again', async () => {
    const all = [workers.start(), workers.start()];
    await workers.settled(all, TASKS);
    await eachStored(all);
    const [first, second] = all as [Worker, Worker];
    const owners = ownersOf(all);
    const stoppedMs = Date.now();
    second.signal('SIGSTOP');
    await sleep(2 * SESSION_MS);
    await workers.settled([first], TASKS);
    const mine = unmoved(owners, ownersOf([first]));
    await expectUntouched('while one sleeps', mine, stoppedMs);
    const wokenMs = Date.now();
    second.signal('SIGCONT');
    await workers.settled([first, second], TASKS);
    await workers.nextStoredMs(second.tasks, wokenMs, [second]);
    // Whatever it stored after it woke up, it stored under a later assignment.
    const again = workers.assigned.find(
      ({ worker, tasks, atMs }) => worker === second.id && atMs >= wokenMs && tasks.length > 0,
    );
    expect(again).toBeDefined();
    const early = workers.stored
      .filter(({ worker, atMs }) => worker === second.id && atMs >= wokenMs && atMs < (again?.atMs ?? 0))
      .map(({ task }) => task);
    expect(early).toEqual([...new Set(early)]); // one may have been under way when it fell asleep, and its answer waited
    expect(workers.stored.some(({ worker, atMs }) => worker === second.id && atMs > wokenMs)).toBe(true);
    await expectExact();
  });
});
