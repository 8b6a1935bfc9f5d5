import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { planReset, type ResetOptions } from '../../src/checkpoints/offsets.js';
import { savepointFile } from '../../src/checkpoints/savepoint-files.js';
import { createSavepoint, restoreSavepoint } from '../../src/checkpoints/savepoints.js';
import { storedTasks } from '../../src/checkpoints/stored-state.js';
import { MillraceError, type SinkDriver } from '../../src/core/index.js';
import { json } from '../../src/schema/index.js';
import type { RestoredPositions } from '../../src/topics/positions.js';
import { topology } from '../../src/topology/index.js';
import { freshWorld, runToEnd } from '../cli/operations.js';
import { memorySink } from '../memory.js';

interface Row {
  readonly n: number;
}
const job = topology('job', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('in', kafka.source({ topic: 'in', schema: json<Row>() })).to(
    'rows',
    memorySink<Row>({ connector: 'table', deferred: { rowsMax: 1_000 } }),
  );
});

type World = Awaited<ReturnType<typeof freshWorld>>;
let world: World;
/** What the table has, and whether it takes more. */
let written: number[];
let refuses: boolean;

const table: SinkDriver = {
  mode: 'idempotent',
  open: async () => ({
    write(values) {
      if (refuses) throw new MillraceError('sink', 'the table is full', { permanent: true });
      written.push(...values.map((value) => (value as Row).n));
    },
    close: async () => undefined,
  }),
};

beforeEach(async () => {
  written = [];
  refuses = false;
  const { profile, ...rest } = await freshWorld();
  world = { ...rest, profile: { ...profile, sinks: { ...profile.sinks, table } } };
  const producer = profile.producer();
  await producer.createTopic('in', 1);
  const records = [0, 1, 2].map((n) => ({ key: null, value: Buffer.from(JSON.stringify({ n })), timestampMs: n }));
  await producer.append('in', 0, records);
  await producer.close();
});
afterEach(() => world.remove());

/** A run that dies after it has stored its rows, and before the table has them. */
async function dieWithRows(): Promise<void> {
  refuses = true;
  await expect(runToEnd(world.profile, job)).rejects.toThrow('the table is full');
  refuses = false;
}

const waits = { code: 'state', where: 'rows', message: expect.stringContaining('task 0 has rows') };

describe('rows that wait for their sink', () => {
  const reset = async (options: Partial<ResetOptions> = {}) => {
    const all = { to: 'earliest' as const, source: undefined, dropState: false, ...options };
    await (await planReset(world.profile, job, all)).apply();
  };

  it('are not carried over where positions move back', async () => {
    await dieWithRows();
    await expect(reset()).rejects.toMatchObject(waits);
    await expect(reset({ source: 'in' })).rejects.toMatchObject(waits);
    expect((await storedTasks(world.profile, job))[0]?.checkpoint).toMatchObject({ incarnation: 0 });
    await runToEnd(world.profile, job); // as the hint says
    await reset();
    expect(written.splice(0)).toEqual([0, 1, 2]);
    await runToEnd(world.profile, job);
    expect(written).toEqual([0, 1, 2]);
  });

  it('stay where positions do, and go with the state', async () => {
    await dieWithRows();
    await reset({ to: 'latest' });
    await runToEnd(world.profile, job);
    expect(written.splice(0)).toEqual([0, 1, 2]);
    await reset({ dropState: true });
    await dieWithRows();
    await reset({ dropState: true });
    await runToEnd(world.profile, job);
    expect(written).toEqual([0, 1, 2]);
  });

  it('are restored at their positions only', async () => {
    await dieWithRows();
    await createSavepoint(world.profile, job, { name: 'died', data: world.data, nowMs: 0 });
    const restore = (positions: RestoredPositions) =>
      restoreSavepoint(world.profile, job, { file: savepointFile(world.data, 'died'), positions });
    await expect(restore('earliest')).rejects.toMatchObject(waits);
    await expect(restore('latest')).rejects.toMatchObject(waits);
    await restore('keep');
    await runToEnd(world.profile, job);
    expect(written).toEqual([0, 1, 2]);
  });
});
