import { deepStrictEqual } from 'node:assert';
import type { SinkDriver } from '../core/sink.js';
import { type ContractCheck, checkIn, mustReject } from './contract.js';
import { openTask, range, type SinkWorld, setUp, sortedVisible, write } from './sink-task.js';

export type { SinkWorld } from './sink-task.js';

/**
 * Checks what every sink must do: show each value after its epoch, show no value of a crashed epoch twice, and, if transactional or
 * prepared, show no value before the ledger has committed.
 *
 * @example
 * for (const { name, run } of sinkContract('transactional', openWorld)) it(name, run);
 */
export function sinkContract(mode: SinkDriver['mode'], open: () => Promise<SinkWorld>): readonly ContractCheck[] {
  const check = (name: string, body: (world: SinkWorld) => Promise<void>) => checkIn(open, name, body);
  const always = [
    check('states how it writes', async ({ driver }) => {
      deepStrictEqual(driver.mode, mode);
    }),

    check('can be set up again', async (world) => {
      await setUp(world);
      await setUp(world);
    }),

    check('shows every value after its epoch, over many epochs and tasks', async (world) => {
      await setUp(world);
      const tasks = [await openTask(world, 0), await openTask(world, 1)];
      for (let epoch = 0; epoch < 4; epoch++) {
        for (const [partition, task] of tasks.entries()) {
          const from = (epoch * 2 + partition) * 50;
          await write(world, task.writer, range(from, 20), partition);
          await write(world, task.writer, range(from + 20, 30), partition);
          await task.commit();
        }
      }
      for (const task of tasks) await task.close();
      deepStrictEqual(await sortedVisible(world), range(0, 400));
    }),

    check('takes an epoch without values, and a second commit of the same one', async (world) => {
      await setUp(world);
      const task = await openTask(world, 0);
      await task.commit();
      await write(world, task.writer, range(0, 5), 0);
      await task.commit();
      await task.writer.commit?.();
      await task.close();
      deepStrictEqual(await sortedVisible(world), range(0, 5));
    }),
  ];
  return mode === 'append'
    ? always
    : [...always, ...surely(check), ...(mode === 'transactional' || mode === 'prepared' ? withLedger(check) : [])];
}

type MakeCheck = (name: string, body: (world: SinkWorld) => Promise<void>) => ContractCheck;

const surely = (check: MakeCheck): ContractCheck[] => [
  check('shows no value twice when an epoch is cut short and replayed, cut otherwise', async (world) => {
    await setUp(world);
    const first = await openTask(world, 0);
    await write(world, first.writer, range(0, 40), 0);
    await first.commit();
    await write(world, first.writer, range(40, 35), 0);
    await first.writer.prepare?.(); // the process crashes here
    const second = await openTask(world, 0);
    await write(world, second.writer, range(40, 10), 0);
    await write(world, second.writer, range(50, 50), 0);
    await second.commit();
    await second.close();
    deepStrictEqual(await sortedVisible(world), range(0, 100));
  }),
];

const withLedger = (check: MakeCheck): ContractCheck[] => [
  check('shows nothing before the ledger has committed', async (world) => {
    await setUp(world);
    const task = await openTask(world, 0);
    await write(world, task.writer, range(0, 500), 0);
    await task.writer.prepare?.();
    deepStrictEqual(await world.visible(), []);
    await task.commit();
    deepStrictEqual(await sortedVisible(world), range(0, 500));
    await task.close();
  }),

  check('drops what was not committed when it is closed', async (world) => {
    await setUp(world);
    const task = await openTask(world, 0);
    await write(world, task.writer, range(0, 10), 0);
    await task.close();
    const next = await openTask(world, 0);
    await next.commit();
    await next.close();
    deepStrictEqual(await world.visible(), []);
  }),

  check('shows nothing of an owner that lost its task', async (world) => {
    await setUp(world);
    const zombie = await openTask(world, 0);
    await write(world, zombie.writer, range(1_000, 10), 0);
    const owner = await openTask(world, 0);
    await write(world, owner.writer, range(0, 10), 0);
    await mustReject(
      async () => {
        await write(world, zombie.writer, range(2_000, 10), 0);
        await zombie.commit();
      },
      'fenced',
      'the zombie gets the error that it is fenced',
    );
    await owner.commit();
    await owner.close();
    deepStrictEqual(await sortedVisible(world), range(0, 10));
  }),
];
