import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import type { Leg } from '../../schemas/leg.v1.js';
import type { Transfer } from '../../schemas/transfer.v1.js';
import { lagOf, planReset } from '../../src/checkpoints/offsets.js';
import { readSavepoint, savepointFile } from '../../src/checkpoints/savepoint-files.js';
import { createSavepoint, restoreSavepoint } from '../../src/checkpoints/savepoints.js';
import { storedTasks } from '../../src/checkpoints/stored-state.js';
import { flatMap } from '../../src/operators/index.js';
import type { OpenProfile } from '../../src/profiles/profiles.js';
import { runTopology } from '../../src/runtime/index.js';
import { json } from '../../src/schema/index.js';
import { subtopologiesOf, topology, topologyHash } from '../../src/topology/index.js';
import { keepBalance } from '../../topologies/keep-balance.js';
import { noInference } from '../memory.js';
import { freshWorld, PARTITIONS, runToEnd, textsIn } from './operations.js';

// Operations on a topology with two sub-topologies, on the embedded store.

const staged = topology('tx', { deadLetters: kafka.deadLetterSink({ topic: 'tx.dead' }) }, (t) => {
  t.source('transfers', kafka.source({ topic: 'tx.in', schema: json<Transfer>(), eventTime: (f) => f.bookedAt }))
    .via(
      'legs',
      flatMap(({ transferId, from, to, amountCents, bookedAt }: Transfer): Leg[] => [
        { transferId, account: from, amountCents: -amountCents, bookedAt },
        { transferId, account: to, amountCents, bookedAt },
      ]),
    )
    .repartition('by-account', { key: (leg) => leg.account, schema: json<Leg>(), partitions: 3 })
    .via('balance', keepBalance())
    .to('balances', kafka.sink({ topic: 'tx.out', schema: json() }));
});
const [first, second] = subtopologiesOf(staged) as [ReturnType<typeof topology>, ReturnType<typeof topology>];

let sent = 0;
async function feed(profile: OpenProfile, from: number, to: number): Promise<void> {
  const producer = profile.producer();
  await producer.createTopic('tx.in', PARTITIONS);
  const records = Array.from({ length: to - from }, (_, index) => {
    const transferId = from + index;
    const bookedAt = 1_700_000_000_000 + transferId * 1_000;
    const value = {
      transferId,
      from: `a${transferId % 7}`,
      to: `b${transferId % 5}`,
      amountCents: transferId,
      bookedAt,
    };
    return { key: Buffer.from(String(transferId)), value: Buffer.from(JSON.stringify(value)), timestampMs: bookedAt };
  });
  await producer.send('tx.in', records);
  await producer.close();
  sent = to;
}

const runStage = async (profile: OpenProfile, subtopology: string): Promise<void> => {
  await (await runTopology(staged, { profile, inference: noInference, bounded: true, subtopology })).finished;
};

/** Balances by account, as the newest output says. */
async function balancesIn(profile: OpenProfile): Promise<Map<string, number>> {
  const balances = new Map<string, number>();
  for (const text of (await textsIn(profile, 'tx.out')).flat()) {
    const { account, balanceCents } = JSON.parse(text) as { account: string; balanceCents: number };
    balances.set(account, balanceCents);
  }
  return balances;
}

function expected(): Map<string, number> {
  const balances = new Map<string, number>();
  const add = (account: string, by: number) => balances.set(account, (balances.get(account) ?? 0) + by);
  for (let id = 0; id < sent; id++) {
    add(`a${id % 7}`, -id);
    add(`b${id % 5}`, id);
  }
  return balances;
}

let world: Awaited<ReturnType<typeof freshWorld>>;
beforeEach(async () => {
  world = await freshWorld();
  await feed(world.profile, 0, 300);
});
afterEach(() => world.remove());

const save = (name: string) => createSavepoint(world.profile, staged, { name, data: world.data, nowMs: 0 });
const file = (name: string) => savepointFile(world.data, name);

describe('operations on sub-topologies', () => {
  it('show the lag of every sub-topology, of those whose topic is there', async () => {
    const { profile } = world;
    expect((await lagOf(profile, staged)).map(({ source }) => source)).toEqual(['transfers', 'transfers']);
    await runStage(profile, 'tx');
    const between = (await lagOf(profile, staged)).filter(({ source }) => source === 'by-account');
    expect(between).toHaveLength(3);
    expect(between.reduce((sum, { lag }) => sum + Number(lag), 0)).toBeGreaterThanOrEqual(600);
    await runStage(profile, 'by-account');
    expect((await lagOf(profile, staged)).map(({ lag }) => lag)).toEqual([0, 0, 0, 0, 0]);
    expect(await balancesIn(profile)).toEqual(expected());
  });

  it('refuse a savepoint and a reset that keeps state while something lies between, and say what to do', async () => {
    const { profile } = world;
    await runStage(profile, 'tx');
    const refused = { code: 'config', hint: expect.stringContaining('--subtopology by-account --until-end') };
    await expect(save('early')).rejects.toMatchObject(refused);
    await expect(
      planReset(profile, staged, { to: 'earliest', source: undefined, dropState: false }),
    ).rejects.toMatchObject(refused);
    await runStage(profile, 'by-account');
    await save('early');
  });

  it('restore all sub-topologies together: what was written between them since is passed over', async () => {
    const { profile } = world;
    await runToEnd(profile, staged);
    const created = await save('middle');
    expect(created).toMatchObject({ topology: 'tx', topologyHash: topologyHash(staged), partitions: PARTITIONS + 3 });
    await feed(profile, 300, 500);
    await runStage(profile, 'tx'); // its legs lie between the sub-topologies, unread
    expect(await restoreSavepoint(profile, staged, { file: file('middle'), positions: 'keep' })).toEqual({
      incarnation: 1,
      tasks: PARTITIONS + 3,
    });
    await runToEnd(profile, staged);
    expect(await balancesIn(profile)).toEqual(expected());
    for (const subtopology of [first, second])
      for (const { checkpoint } of await storedTasks(profile, subtopology)) expect(checkpoint?.incarnation).toBe(1);
  });

  it('take a savepoint to another store, where no topic lies between the sub-topologies yet', async () => {
    await runToEnd(world.profile, staged);
    await save('middle');
    expect(
      readSavepoint(file('middle')).manifest.subtopologies?.map(({ name, partitions }) => [name, partitions]),
    ).toEqual([
      ['tx', PARTITIONS],
      ['tx/by-account', 3],
    ]);
    const other = await freshWorld();
    try {
      await feed(other.profile, 0, 300);
      await feed(other.profile, 300, 420);
      await restoreSavepoint(other.profile, staged, { file: file('middle'), positions: 'keep' });
      await runToEnd(other.profile, staged);
      // Only accounts that changed since are written again.
      for (const [account, balance] of await balancesIn(other.profile)) expect(balance).toBe(expected().get(account));
    } finally {
      await other.remove();
    }
  });

  it('reset to the beginning with fresh state, whatever lies between', async () => {
    const { profile } = world;
    await runToEnd(profile, staged);
    await feed(profile, 300, 400);
    await runStage(profile, 'tx');
    const reset = await planReset(profile, staged, { to: 'earliest', source: undefined, dropState: true });
    expect(reset.moves.filter(({ source }) => source === 'transfers').map(({ to }) => to)).toEqual([0, 0]);
    await reset.apply();
    await runToEnd(profile, staged);
    expect(await balancesIn(profile)).toEqual(expected());
  });
});
