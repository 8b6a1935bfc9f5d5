import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { originAt } from '../../../src/testing/contract.js';
import { range } from '../../../src/testing/sink-task.js';
import { canMount, smallDisk } from '../../integration/faults/disk.js';
import { notHere } from '../../integration/faults/limit-files.js';
import { openWorld, topicSinkOf, valuesIn, type World } from './world.js';

// A disk that is full for a while: what finds no room changes nothing, is told, and may be tried again.

const run = promisify(execFile);
const FULL = { code: 'state', permanent: false, message: 'the disk is full: 0 MiB are left' };

let disk: ReturnType<typeof smallDisk>;
let world: World;
beforeEach(async () => {
  disk = smallDisk(48 * 2 ** 20);
  world = await openWorld({ path: disk.folder });
});
afterEach(async () => {
  await world.close();
  disk.close();
});

const record = (n: number) => ({ key: null, value: Buffer.from(JSON.stringify({ n })), timestampMs: n });
const numbers = async (topic: string) => ((await valuesIn(world.embedded, topic)) as { n: number }[]).map(({ n }) => n);

async function task(partition: number) {
  const { embedded } = world;
  const id = { topology: 't', partition };
  const ledger = await embedded.openLedger(id);
  const { checkpoint } = await ledger.restore();
  const epoch = (checkpoint?.epoch ?? 0) + 1;
  const out = await embedded.topicSink.open(topicSinkOf('out'), { step: 'out', task: id, incarnation: 0 });
  return {
    epoch,
    async commit(from: number) {
      const all = range(from, 10);
      await out.write(
        all.map((n) => ({ n })),
        all.map((n) => originAt(n, 0)),
      );
      await ledger.commit({ epoch, incarnation: 0, topologyHash: 'h', positions: {}, settledDecisions: {} }, []);
    },
  };
}

describe.skipIf(!canMount)('the embedded store on a full disk', () => {
  it('goes on from what it has once there is room, for all tasks, without a gap in its log', async () => {
    await world.embedded.producer().createTopic('out', 1);
    await (await task(0)).commit(0);
    const empty = await disk.fill();
    const tasks = [await task(0), await task(1)];
    const outcomes = await Promise.allSettled(tasks.map((each, n) => each.commit(100 * (n + 1))));
    expect(outcomes.map((each) => each.status === 'rejected' && each.reason)).toMatchObject([FULL, FULL]);
    await empty();
    const again = [await task(0), await task(1)];
    expect(again.map(({ epoch }) => epoch)).toEqual([2, 1]);
    await Promise.all(again.map((each, n) => each.commit(10 * (n + 1))));
    const check = async () => {
      expect((await numbers('out')).sort((a, b) => a - b)).toEqual(range(0, 30));
      expect(await world.embedded.endOffsets('out')).toEqual([30]);
    };
    await check();
    await world.restart();
    await check();
  });

  it('has nothing of a topic that could not be created, and gives no two topics one place', async () => {
    const producer = world.embedded.producer();
    await producer.createTopic('a', 1);
    const empty = await disk.fill();
    await expect(producer.createTopic('b', 1)).rejects.toMatchObject(FULL);
    await expect(producer.send('a', [record(7)])).rejects.toMatchObject(FULL);
    expect(world.embedded.topics()).toEqual(['a']);
    await empty();
    for (const [n, topic] of ['c', 'b', 'a'].entries()) {
      await producer.createTopic(topic, 1);
      await producer.send(topic, [record(n)]);
    }
    await world.restart();
    expect(await Promise.all(['a', 'b', 'c'].map(numbers))).toEqual([[2], [1], [0]]);
  });

  it('closes', async () => {
    const producer = world.embedded.producer();
    await producer.createTopic('a', 1);
    await disk.fill();
    await expect(producer.send('a', [record(1)])).rejects.toMatchObject(FULL);
    await world.embedded.close();
  });
});

it.skipIf(notHere['refused for now'] !== undefined)(
  'a store that fails below the room that the disk has, as under a quota, ends the run, not the process',
  async () => {
    const path = mkdtempSync(join(tmpdir(), 'millrace-embedded-'));
    const child = new URL('./limited-child.ts', import.meta.url).pathname;
    const { stdout } = await run(process.execPath, ['--import', 'tsx', '--conditions', 'millrace-source', child, path]);
    const failed = ['state', true, expect.stringMatching(/^the embedded store failed: .*File too large/)];
    expect(JSON.parse(stdout)).toEqual([failed, failed, true]);
    const { embedded, close } = await openWorld({ path });
    expect(await embedded.endOffsets('a')).toEqual([0]);
    await close();
    rmSync(path, { recursive: true });
  },
);
