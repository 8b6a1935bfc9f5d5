import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bufferPool } from '../../src/inference/scheduling/buffers.js';
import { newCall } from '../../src/inference/scheduling/calls.js';
import { createLanes, entriesOf, type Waiting } from '../../src/inference/scheduling/lanes.js';
import { layoutOf } from '../../src/inference/scheduling/layout.js';
import { createScheduler } from '../../src/inference/scheduling/scheduler.js';

const event = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      rows: fc.integer({ min: 1, max: 3 }),
      within: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
      tier: fc.constantFrom('high' as const, 'normal' as const),
      // A call that was made from inside another comes before one that is older.
      ageMs: fc.constantFrom(0, 0, 0, 5),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const), rows: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('late' as const), ms: fc.nat({ max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lowest' as const), rows: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('call' as const), at: fc.nat({ max: 10 }) }) },
);

test('the lanes know since when the oldest row waits, whatever its deadline and what came and left', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const lanes = createLanes();
      const waiting: Waiting[] = [];
      let nowMs = 100;
      const leave = (gone: readonly Waiting[]) => {
        for (const each of gone) if (waiting.includes(each)) waiting.splice(waiting.indexOf(each), 1);
      };
      for (const event of events) {
        nowMs += 3;
        if (event.kind === 'add') {
          const { rows, within, tier, ageMs } = event;
          const sinceMs = nowMs - ageMs;
          const call = newCall({ fill() {}, outputSize: 1, rows, sinceMs, isInOrder: false });
          const urgency = { deadlineOf: () => within, tierOf: () => tier, sheds: true };
          for (const entry of entriesOf(call, undefined, urgency)) {
            lanes.add(entry);
            waiting.push(entry);
          }
        } else if (event.kind === 'take') lanes.take(0, event.rows, nowMs);
        else if (event.kind === 'late') leave(lanes.removeLate(0, nowMs + event.ms));
        else if (event.kind === 'lowest') leave(lanes.removeLowest(event.rows, 0));
        else {
          const call = waiting[event.at]?.call;
          if (call !== undefined) lanes.removeCall(call);
          leave(waiting.filter((each) => each.call === call));
        }
        leave(waiting.filter(({ rows }) => rows === 0));
        expect(lanes.rows()).toBe(waiting.reduce((sum, { rows }) => sum + rows, 0));
        expect(lanes.sinceMs(0)).toBe(Math.min(...waiting.map(({ call }) => call.sinceMs)));
      }
    }),
    { numRuns: 500 },
  );
});

test('a row that others with sooner deadlines pass has its turn after waitMax beside full batches of another model', () => {
  let now = 0;
  const running: { readonly name: string; readonly rows: number; end(): void }[] = [];
  const scheduler = createScheduler({ workers: 1, nowMs: () => now });
  const model = (name: string) => {
    const queue = scheduler.queue({
      ...{ batchMax: 8, waitMax: 5, outputSize: 1, version: '', pool: bufferPool(4) },
      layoutOf: (_, rows) => layoutOf([{ name: 'x', type: 'float32', shape: [1] }], 1, rows),
      dispatch(batch) {
        const scores = new Float32Array(batch.rows);
        const end = () => queue.complete(batch, { scores, failures: [], degraded: null }, 1);
        running.push({ name, rows: batch.rows, end });
      },
    });
    return queue;
  };
  void model('busy').run(8 * 100, () => {});
  const rare = model('rare');
  void rare.run(1, () => {});
  const order: string[] = [];
  for (let turn = 0; turn < 10; turn++) {
    now += 1;
    // Each is due sooner than all before it.
    if (turn < 5) void rare.run(1, () => {}, undefined, { deadlineOf: () => 100 - 10 * turn });
    const { name, rows, end } = running.shift() as (typeof running)[number];
    end();
    order.push(`${name} ${rows}`);
  }
  // The first row has waited 5 ms after the fifth batch; two more were under way then.
  expect(order.indexOf('rare 6')).toBe(6);
});
