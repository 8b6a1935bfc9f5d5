import { deepStrictEqual, ok } from 'node:assert';
import type { Checkpoint, RestoredTask, TaskId, TaskLedger } from '../core/checkpoint.js';
import { eventClock } from '../core/event-clock.js';
import type { StateChange } from '../core/state.js';
import { type ContractCheck, checkIn, mustReject } from './contract.js';

/** A ledger under test, without tasks at first. */
export interface LedgerWorld {
  openLedger(task: TaskId): Promise<TaskLedger>;
  /** Stops without a close and opens again with the same data, like a restart after a crash. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Checks what every ledger must do: return exactly the last commit, and only to the last owner.
 *
 * @example
 * for (const { name, run } of ledgerContract(openWorld)) it(name, run);
 */
export function ledgerContract(open: () => Promise<LedgerWorld>): readonly ContractCheck[] {
  const check = (name: string, body: (world: LedgerWorld) => Promise<void>) => checkIn(open, name, body);
  return [
    check('knows nothing of a new task', async (world) => {
      const ledger = await world.openLedger(task(0));
      deepStrictEqual(await ledger.restore(), { checkpoint: undefined, state: [] });
      await ledger.close();
    }),

    check('restores exactly the last checkpoint, after a restart too', async (world) => {
      const ledger = await openOwned(world, task(0));
      for (let epoch = 1; epoch <= 3; epoch++) await ledger.commit(checkpoint(epoch), []);
      await world.restart();
      deepStrictEqual((await restored(world, task(0))).checkpoint, checkpoint(3));
    }),

    check('restores the newest bytes of every bucket, and none that was deleted', async (world) => {
      const ledger = await openOwned(world, task(0));
      await ledger.commit(checkpoint(1), [
        change('dedupe', 'seen', 0, 'old'),
        change('dedupe', 'seen', 1, 'stays'),
        change('dedupe', 'seen', 2, 'goes'),
        change('dedupe', 'count', 0, 'other cell'),
        change('learn', 'seen', 0, 'other step'),
        change('learn', 'empty', 0, ''),
      ]);
      await ledger.commit(checkpoint(2), [
        change('dedupe', 'seen', 0, 'new', 2),
        change('dedupe', 'seen', 2, null),
        change('dedupe', 'seen', 300, 'far'),
        change('dedupe', 'seen', 77, null),
      ]);
      await world.restart();
      deepStrictEqual(legibleState(await restored(world, task(0))), [
        'dedupe/count/0 v1 other cell',
        'dedupe/seen/0 v2 new',
        'dedupe/seen/1 v1 stays',
        'dedupe/seen/300 v1 far',
        'learn/empty/0 v1 ',
        'learn/seen/0 v1 other step',
      ]);
    }),

    check('keeps tasks and topologies apart', async (world) => {
      const ids = [task(0), task(1), task(10), { topology: 'contract-2', partition: 0 }];
      for (const [index, id] of ids.entries()) {
        const ledger = await openOwned(world, id);
        await ledger.commit(checkpoint(index + 1), [change('step', 'cell', index, `of ${index}`)]);
        await ledger.close();
      }
      for (const [index, id] of ids.entries()) {
        const found = await restored(world, id);
        deepStrictEqual(found.checkpoint, checkpoint(index + 1));
        deepStrictEqual(legibleState(found), [`step/cell/${index} v1 of ${index}`]);
      }
    }),

    check('fences the earlier owner, whose commit changes nothing', async (world) => {
      const zombie = await openOwned(world, task(0));
      await zombie.commit(checkpoint(1), [change('step', 'cell', 0, 'first')]);
      const owner = await openOwned(world, task(0));
      await mustReject(
        () => zombie.commit(checkpoint(9), [change('step', 'cell', 0, 'zombie')]),
        'fenced',
        'the zombie gets the error that it is fenced',
      );
      await owner.commit(checkpoint(2), []);
      await mustReject(() => zombie.commit(checkpoint(9), []), 'fenced', 'and stays fenced');
      const found = await restored(world, task(0));
      deepStrictEqual(found.checkpoint, checkpoint(2));
      deepStrictEqual(legibleState(found), ['step/cell/0 v1 first']);
    }),

    check('keeps much state, byte for byte', async (world) => {
      const changes = Array.from({ length: 400 }, (_, bucket): StateChange => {
        const bytes = Uint8Array.from({ length: (bucket * 37) % 9_000 }, (_, i) => (i * 31 + bucket) & 0xff);
        return { step: 'learn', cell: 'weights', bucket, version: 3, bytes };
      });
      changes.push({ step: 'learn', cell: 'large', bucket: 0, version: 1, bytes: new Uint8Array(700_000).fill(9) });
      const ledger = await openOwned(world, task(0));
      await ledger.commit(checkpoint(1), changes.slice(0, 200));
      await ledger.commit(checkpoint(2), changes.slice(200));
      const hex = (state: readonly StateChange[]) =>
        state
          .map(({ cell, bucket, bytes }) => `${cell}/${bucket} ${Buffer.from(bytes ?? []).toString('base64')}`)
          .sort();
      deepStrictEqual(hex((await restored(world, task(0))).state), hex(changes));
    }),
  ];
}

const task = (partition: number): TaskId => ({ topology: 'contract', partition });

const checkpoint = (epoch: number): Checkpoint => ({
  epoch,
  incarnation: 3,
  topologyHash: 'feedfacecafebeef',
  positions: {
    departed: { offset: epoch * 1_000, mergeTimeMs: 1_600_000_000_000 + epoch },
    arrived: { offset: 0, mergeTimeMs: -8.64e15, clock: { ...eventClock(), ahead: [4_102_444_800_000] } },
  },
  settledDecisions: epoch % 2 === 0 ? {} : { order: [epoch, 2, 3] },
});

const change = (step: string, cell: string, bucket: number, text: string | null, version = 1): StateChange => ({
  step,
  cell,
  bucket,
  version,
  bytes: text === null ? null : Buffer.from(text),
});

const legibleState = ({ state }: RestoredTask): string[] =>
  state
    .map(({ step, cell, bucket, version, bytes }) => {
      ok(bytes !== null, 'a restored bucket has bytes');
      return `${step}/${cell}/${bucket} v${version} ${Buffer.from(bytes).toString()}`;
    })
    .sort();

async function openOwned(world: LedgerWorld, id: TaskId): Promise<TaskLedger> {
  const ledger = await world.openLedger(id);
  await ledger.restore();
  return ledger;
}

async function restored(world: LedgerWorld, id: TaskId): Promise<RestoredTask> {
  const ledger = await world.openLedger(id);
  const found = await ledger.restore();
  await ledger.close();
  return found;
}
