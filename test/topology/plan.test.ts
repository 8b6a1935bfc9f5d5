import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import {
  type CellSpecs,
  type Checkpoint,
  type Duration,
  hours,
  minutes,
  type StateChange,
  stateful,
} from '../../src/core/index.js';
import { dedupe, innerJoin } from '../../src/operators/index.js';
import { json } from '../../src/schema/index.js';
import { float64Cell, mapCell, ringCell, valueCell } from '../../src/state/index.js';
import {
  isRefused,
  layoutOf,
  needsAcceptance,
  type PlannedTask,
  planState,
  planText,
  type Stream,
  stateSettingsOf,
  type Topology,
  topology,
  topologyHash,
} from '../../src/topology/index.js';

interface Row {
  readonly id: string;
}

const step = (cells: CellSpecs) =>
  stateful<unknown, unknown, CellSpecs>({ kind: 'test', cells, open: () => ({ onRecord() {} }) });

function withSteps(steps: Readonly<Record<string, CellSpecs>>, topic = 'in'): Topology {
  return topology('planned', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    let stream = t.source('events', kafka.source({ topic, schema: json<unknown>() }));
    for (const [id, cells] of Object.entries(steps)) stream = stream.via(id, step(cells));
    stream.to('out', kafka.sink({ topic: 'out', schema: json<unknown>() }));
  });
}

/** What a task of a topology leaves behind once each of its cells has something. */
function stateOf(steps: Readonly<Record<string, CellSpecs>>): StateChange[] {
  return Object.entries(steps).flatMap(([id, cells]) =>
    Object.entries(cells).flatMap(([cell, spec]) => {
      const open = spec.open() as never as Record<'set' | 'push' | 'touch', (...args: unknown[]) => void>;
      if (spec.kind === 'value') open.set(7);
      else if (spec.kind === 'map') open.set('key', 7, 1_000);
      else if (spec.kind === 'ring') open.push(7);
      else open.touch(0);
      return spec
        .open()
        .takeChanges()
        .concat((open as never as ReturnType<typeof spec.open>).takeChanges())
        .map((change) => ({ step: id, cell, version: spec.version, ...change }));
    }),
  );
}

const taskOf = (partition: number, state: readonly StateChange[], topic = 'in'): PlannedTask => ({
  partition,
  state,
  topics: { events: topic },
  checkpoint: {
    epoch: 3,
    incarnation: 0,
    topologyHash: 'abc',
    positions: { events: { offset: 10 + partition, mergeTimeMs: 0 } },
    settledDecisions: {},
  },
});

const fates = (plan: ReturnType<typeof planState>) =>
  Object.fromEntries(plan.cells.map(({ step: id, cell, action }) => [`${id}/${cell}`, action]));

describe('planState', () => {
  it('finds nothing where nothing is stored', () => {
    const plan = planState(withSteps({ a: { total: valueCell({ initial: 0 }) } }), []);
    expect(fates(plan)).toEqual({ 'a/total': 'new' });
    expect(planText(plan)).toBe(`plan for planned (${plan.hash}): no state is stored, everything starts empty\n`);
  });

  it('tells reused, migrated, refused, dropped and new apart', async () => {
    const before = {
      same: { total: valueCell({ initial: 0 }) },
      older: { total: valueCell({ initial: 0 }) },
      stuck: { total: valueCell({ initial: 0 }) },
      ring: { last: ringCell<number>({ length: 5 }) },
      weights: { w: float64Cell({ size: 4 }) },
      kind: { seen: mapCell<string, number>({ entriesMax: 5 }) },
      gone: { total: valueCell({ initial: 0 }) },
      slim: { kept: valueCell({ initial: 0 }), lost: valueCell({ initial: 0 }) },
    };
    const after = withSteps({
      same: { total: valueCell({ initial: 1 }) },
      older: { total: valueCell({ initial: 0, version: 2, migrate: Number }) },
      stuck: { total: valueCell({ initial: 0, version: 2 }) },
      ring: { last: ringCell<number>({ length: 6 }) },
      weights: { w: float64Cell({ size: 8 }) },
      kind: { seen: mapCell<string, number>({}) },
      slim: { kept: valueCell({ initial: 0 }) },
      fresh: { total: valueCell({ initial: 0 }) },
    });
    const plan = planState(after, [taskOf(0, stateOf(before)), taskOf(1, stateOf(before))]);
    expect(fates(plan)).toEqual({
      'same/total': 'reused',
      'older/total': 'migrated',
      'stuck/total': 'refused',
      'ring/last': 'refused',
      'weights/w': 'refused',
      'kind/seen': 'refused',
      'slim/kept': 'reused',
      'fresh/total': 'new',
      'gone/total': 'dropped',
      'slim/lost': 'dropped',
    });
    expect(isRefused(plan)).toBe(true);
    await expect(planText(plan).replaceAll(plan.hash, 'HASH')).toMatchFileSnapshot('../golden/plan.txt');
  });

  it('knows the counters, rows that sinks have not taken, and numbers of changes', () => {
    const bytes = Uint8Array.of(1);
    const rows = ['out', 'old-sink'].map((id) => ({ step: id, cell: 'rows', version: 1, bucket: 0, bytes }));
    const counters = { step: '$counters', cell: 'counters', version: 1, bucket: 0, bytes };
    const number = { step: 'out', cell: 'number', version: 1, bucket: 0, bytes };
    const plan = planState(withSteps({}), [taskOf(0, [...rows, counters, number])]);
    expect(fates(plan)).toEqual({
      '$counters/counters': 'reused',
      'out/number': 'reused',
      'out/rows': 'reused',
      'old-sink/rows': 'dropped',
    });
    expect(plan.cells.find(({ step: id }) => id === 'old-sink')?.note).toContain('written if it is added again');
  });

  it('lists sources and stateful steps that a run must accept, once over all tasks', () => {
    const cells = (version: number) => ({ total: valueCell({ initial: 0, version }) });
    const by = (layout: readonly string[] | undefined, partition = 0): PlannedTask => {
      const { checkpoint, ...task } = taskOf(partition, []);
      return { ...task, checkpoint: { ...(checkpoint as Checkpoint), layout } };
    };
    const [v1, v2] = [withSteps({ a: cells(1), b: cells(1) }), withSteps({ a: cells(2) })];
    const plan = planState(v2, [by(layoutOf(v1)), by(layoutOf(v1), 1), by(layoutOf(v2), 2)]);
    expect(plan.changes).toEqual(['- step a (test): total 1', '- step b (test): total 1', '+ step a (test): total 2']);
    expect(planText(plan)).toContain('checkpoint:\n  - step a (test): total 1\n  - step b');
    expect(needsAcceptance([plan])).toBe(true);
    expect(planState(v2, [by(layoutOf(v2)), by(undefined, 1)]).changes).toEqual([]);
  });

  it('names the settings of stateful steps that the stored state was not made with, old and new', () => {
    const joined = (after: Duration, more = {}) =>
      topology('planned', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
        const [left, right] = ['left', 'right'].map((id) =>
          t.source(id, kafka.source({ topic: id, schema: json<Row>() })),
        );
        const keys = { left: ({ id }: Row) => id, right: ({ id }: Row) => id };
        const within = { before: minutes(0), after };
        const combine = (a: Row, b: Row) => ({ ...a, ...b });
        (left as Stream<Row>)
          .via('paid', { right: right as Stream<Row> }, innerJoin({ keys, within, combine, entriesMax: 10, ...more }))
          .via('same', dedupe({ key: ({ id }) => id, retention: hours(1), keysMax: 10 }))
          .to('out', kafka.sink({ topic: 'out', schema: json() }));
      });
    const stored = (from: Topology): PlannedTask => {
      const { checkpoint, ...task } = taskOf(0, []);
      const written = { layout: layoutOf(from), settings: stateSettingsOf(from) };
      return { ...task, checkpoint: { ...(checkpoint as Checkpoint), ...written } };
    };
    const plan = planState(joined(minutes(20), { allowedLateness: minutes(1) }), [stored(joined(minutes(10)))]);
    expect(plan.settings).toEqual([
      { step: 'paid', setting: 'after', was: '10m', is: '20m' },
      { step: 'paid', setting: 'allowedLateness', was: '0ms', is: '1m' },
    ]);
    expect(planText(plan)).toContain('made with; it is reused:\n  paid: after 10m -> 20m\n  paid: allowed');
    expect(needsAcceptance([plan])).toBe(false);
    expect(planState(joined(minutes(10)), [stored(joined(minutes(10))), taskOf(1, [])]).settings).toEqual([]);
  });

  it('says nothing of another number of partitions where nothing is kept between records', () => {
    const { checkpoint, ...task } = taskOf(0, []);
    const stored = [{ ...task, checkpoint: { ...(checkpoint as Checkpoint), tasks: 1 } }];
    expect(planState(withSteps({}), stored, { tasksNow: 2 }).tasksNow).toBeUndefined();
    expect(planState(withSteps({ a: { total: valueCell({ initial: 0 }) } }), stored, { tasksNow: 2 }).tasksNow).toBe(2);
  });

  it('refuses a position that is one in another topic', () => {
    const plan = planState(withSteps({}, 'elsewhere'), [taskOf(0, [])]);
    expect(plan.sources).toMatchObject([{ source: 'events', action: 'refused' }]);
    expect(plan.sources[0]?.note).toContain('in');
    expect(isRefused(plan)).toBe(true);
  });

  it('is all "reused" for the topology that wrote the state, and leaves the state alone', () => {
    const cell = fc.constantFrom<() => CellSpecs[string]>(
      () => valueCell({ initial: 0 }),
      () => mapCell<string, number>({ ttl: 1_000 as never }),
      () => mapCell<string, number>(),
      () => ringCell<number>({ length: 3 }),
      () => float64Cell({ size: 3 }),
    );
    const steps = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,5}$/),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), cell, { minKeys: 1, maxKeys: 3 }),
      { minKeys: 1, maxKeys: 4 },
    );
    fc.assert(
      fc.property(steps, (made) => {
        const cells = Object.fromEntries(
          Object.entries(made).map(([id, each]) => [
            id,
            Object.fromEntries(Object.entries(each).map(([name, make]) => [name, make()])),
          ]),
        );
        const state = stateOf(cells);
        const copy = structuredClone(state);
        const itself = withSteps(cells);
        const plan = planState(itself, [taskOf(0, state)]);
        expect(new Set(Object.values(fates(plan)))).toEqual(new Set(['reused']));
        expect(plan.hash).toBe(topologyHash(itself));
        expect(state).toEqual(copy);

        // Without its steps nothing has a reader, and nothing that is stored is left out.
        const dropped = planState(withSteps({}), [taskOf(0, state)]);
        expect(new Set(Object.values(fates(dropped)))).toEqual(new Set(['dropped']));
        expect(dropped.cells.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(
          state.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0),
        );
      }),
    );
  });
});
