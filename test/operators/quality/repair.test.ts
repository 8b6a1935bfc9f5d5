import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { kafka } from '../../../connectors/kafka/index.js';
import { type RepairRow, repair, repairColumns } from '../../../src/operators/quality/repair.js';
import { type Repairs, repairs } from '../../../src/operators/quality/repairs.js';
import { json } from '../../../src/schema/index.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';
import { TopologyTest } from '../../../src/testing/topology-test.js';
import { check, describe as describeTopology, type Stream, topology } from '../../../src/topology/index.js';

interface Reading {
  readonly id: number;
  readonly station: string | null;
  readonly scale: string;
  readonly temperature: number | null;
  readonly pressure: number;
}
const reading = (more: Partial<Reading> = {}): Reading => ({
  id: 1,
  station: 'Boston',
  scale: 'C',
  temperature: 20,
  pressure: 1_013,
  ...more,
});

const rules = repairs<Reading>()
  .trim('station')
  .aliases('station', { NYC: 'New York', 'Big Apple': 'New York' })
  .spelling('station', ['New York', 'Boston', 'Chicago'], { distanceMax: 2 })
  .case('scale', 'upper')
  .unit('temperature', { unit: 'scale', to: 'C', from: { F: (f) => (f - 32) / 1.8, K: (k) => k - 273.15 } })
  .rescale('pressure', { min: 870, max: 1_085, conversions: { kPa: 10, inHg: 33.8639 } })
  .custom('id', 'whole', (id) => Math.round(id));

/** The repaired records and the trail. */
function run<T>(values: readonly T[], by: Repairs<T>) {
  const driven = driveOperator(
    repair(by),
    values.map((value, i) => ({ value, eventTimeMs: 1_000 + i })),
  );
  const of = (output: string) => driven.emitted.filter((each) => each.output === output).map(({ value }) => value);
  return { ...driven, repaired: of('repaired') as T[], trail: of('repairs') as RepairRow[] };
}
const changes = (trail: readonly RepairRow[]) => trail.map(({ field, from, to, rule }) => [field, from, to, rule]);

describe('repair', () => {
  it('writes anything into its trail, bigints too', () => {
    const whole = repairs<{ readonly ids: readonly bigint[] }>().custom('ids', 'positive', (ids) =>
      ids.filter((id) => id > 0n),
    );
    const { trail, failure } = run([{ ids: [7n, -1n] }], whole);
    expect(failure).toBeUndefined();
    expect(changes(trail)).toEqual([['ids', '["7n","-1n"]', '["7n"]', 'positive']]);
  });

  it('trims, knows aliases, and corrects spelling, one after another', () => {
    const { repaired, trail } = run(
      ['  New   York ', 'NYC', ' Big Apple', 'Nwe York', 'Bostn', 'Paris', null].map((station) => reading({ station })),
      rules,
    );
    expect(repaired.map(({ station }) => station)).toEqual([
      'New York',
      'New York',
      'New York',
      'New York',
      'Boston',
      'Paris',
      null,
    ]);
    expect(changes(trail)).toEqual([
      ['station', '  New   York ', 'New York', 'trim'],
      ['station', 'NYC', 'New York', 'aliases'],
      ['station', ' Big Apple', 'Big Apple', 'trim'],
      ['station', 'Big Apple', 'New York', 'aliases'],
      ['station', 'Nwe York', 'New York', 'spelling'],
      ['station', 'Bostn', 'Boston', 'spelling'],
    ]);
  });

  it('converts what is in another unit, by what another field says, and says so there', () => {
    const { repaired, trail } = run(
      [
        reading({ temperature: 212, scale: 'f' }),
        reading({ temperature: 0, scale: 'K' }),
        reading({ temperature: 7, scale: 'R' }),
        reading({ temperature: null, scale: 'F' }),
      ],
      rules,
    );
    expect(repaired.map(({ temperature, scale }) => [temperature, scale])).toEqual([
      [100, 'C'],
      [-273.15, 'C'],
      [7, 'R'],
      [null, 'F'], // there is no number to convert
    ]);
    expect(changes(trail)).toEqual([
      ['scale', 'f', 'F', 'case'],
      ['temperature', '212', '100', 'unit'],
      ['scale', 'F', 'C', 'unit'],
      ['temperature', '0', '-273.15', 'unit'],
      ['scale', 'K', 'C', 'unit'],
    ]);
  });

  it('converts what is out of its range, if one conversion only brings it back', () => {
    const pressures = [101.3, 29.92, 1_013, 5, 95, Number.NaN];
    const { repaired } = run(
      pressures.map((pressure) => reading({ pressure })),
      rules,
    );
    // 29.92 inches are 1013 hPa, and 299.2 by the other conversion; 5 fits by none.
    expect(repaired.map(({ pressure }) => pressure)).toEqual([1_013, 29.92 * 33.8639, 1_013, 5, 950, Number.NaN]);
    const tied = repairs<Reading>().rescale('pressure', { min: 100, max: 1_000, conversions: { a: 10, b: 20 } });
    expect(run([reading({ pressure: 20 })], tied)).toMatchObject({ repaired: [{ pressure: 20 }], trail: [] });
  });

  it('leaves a record that nothing is wrong with as it is, the very same', () => {
    const right = reading();
    const { repaired, trail, counters } = run([right, reading({ id: 1.5, pressure: Number.NaN })], rules);
    expect(repaired[0]).toBe(right);
    expect(changes(trail)).toEqual([['id', '1.5', '2', 'whole']]);
    expect(counters).toEqual({ repaired: 1, repairs: 1 });
  });

  it('says of each repair where and when', () => {
    const { trail } = run([reading(), reading({ station: 'NYC' })], rules);
    expect(trail).toEqual([
      {
        field: 'station',
        from: 'NYC',
        to: 'New York',
        rule: 'aliases',
        step: expect.any(String),
        topic: expect.any(String),
        partition: 0,
        offset: 1,
        eventTime: 1_001,
      },
    ]);
    expect(Object.keys(repairColumns)).toEqual(Object.keys(trail[0] as RepairRow));
  });

  it('has `null` in the trail where nothing is left', () => {
    const emptied = repairs<{ readonly a: string | null }>().custom('a', 'empty', () => null);
    expect(changes(run([{ a: 'x' }], emptied).trail)).toEqual([['a', 'x', null, 'empty']]);
  });

  const texts = fc.constantFrom('Boston', ' Boston', 'Bostno', 'NYC', 'New  York', 'x', '', 'Chicagoo', 'toString');
  const readings = fc.record(
    {
      id: fc.double({ noDefaultInfinity: true }),
      station: fc.option(texts),
      scale: fc.constantFrom('C', 'F', 'f', 'K', 'R'),
      temperature: fc.option(fc.integer({ min: -50, max: 400 })),
      pressure: fc.constantFrom(1_013, 101.3, 29.92, 0, -1, Number.NaN),
    },
    { noNullPrototype: true },
  );

  it('keeps the operator contract', () => {
    fc.assert(
      fc.property(fc.array(readings, { maxLength: 8 }), (values) => {
        checkOperator(
          repair(rules),
          values.map((value) => ({ value })),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('leaves a trail that leads back to the record as it came, and finds nothing to repair a second time', () => {
    const once = repairs<Reading>()
      .trim('station')
      .aliases('station', { NYC: 'New York' })
      .spelling('station', ['New York', 'Boston', 'Chicago'], { distanceMax: 2 })
      .case('scale', 'upper')
      .unit('temperature', { unit: 'scale', to: 'C', from: { F: (f) => (f - 32) / 1.8, K: (k) => k - 273.15 } });
    fc.assert(
      fc.property(readings, (value) => {
        const { repaired, trail } = run([value], once);
        const back: Record<string, unknown> = { ...(repaired[0] as Reading) };
        for (const { field, from, to } of [...trail].reverse()) {
          expect(String(back[field])).toBe(to);
          back[field] = field === 'temperature' ? Number(from) : from;
        }
        expect(back).toEqual(value);
        expect(run(repaired, once).trail).toEqual([]);
      }),
    );
  });

  it('is a step with two outputs, the trail of which goes to a table', async () => {
    const flow = topology('readings', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
      const { repaired, repairs: trail } = t
        .source('readings', kafka.source({ topic: 'readings', schema: json<Reading>() }))
        .split('repair', repair(rules));
      expectTypeOf(repaired).toEqualTypeOf<Stream<Reading>>();
      expectTypeOf(trail).toEqualTypeOf<Stream<RepairRow>>();
      repaired.to('out', kafka.sink({ topic: 'out', schema: json() }));
      trail.to(
        'trail',
        clickhouse.tableSink({ table: 'repairs', columns: repairColumns, orderBy: ['field', 'eventTime'] }),
      );
    });
    expect(check(flow)).toEqual([]);
    expect(describeTopology(flow)).toContain(
      'rules="station: trim; station: aliases; station: spelling; scale: case; temperature: unit; pressure: rescale; id: whole"',
    );
    const test = new TopologyTest(flow);
    await test.pipe('readings', [reading(), reading({ station: 'NYC' })]);
    await test.run();
    expect(test.output('out')).toHaveLength(2);
    expect(test.output('trail')).toMatchObject([{ step: 'repair', topic: 'readings', offset: 1, rule: 'aliases' }]);
    await test.close();
  });

  it('says what is wrong with its rules', () => {
    const wrong = repairs<Reading>()
      .aliases('station', {})
      .spelling('station', [], { distanceMax: 0 })
      .unit('temperature', { unit: 'scale', to: 'C', from: { C: 1 } })
      .rescale('pressure', { min: 2, max: 1, conversions: {} });
    expect(repair(wrong).problems?.map(({ message }) => message)).toEqual([
      'no aliases of station',
      'no words for station',
      'distanceMax is 0',
      'temperature: C is converted to itself',
      'pressure: the range is 2 to 1',
    ]);
    expect(repair(repairs<Reading>()).problems).toHaveLength(1);
    expect(repair(repairs<Reading>().spelling('station', ['x'], { distanceMax: 1 })).problems).toEqual([]);
  });
});

// Never run: the compiler is the judge.
const proveTypes = () => {
  // @ts-expect-error a number is not trimmed
  repairs<Reading>().trim('id');
  // @ts-expect-error no such field
  repairs<Reading>().aliases('city', {});
  // @ts-expect-error a text has no unit
  repairs<Reading>().unit('station', { unit: 'scale', to: 'C', from: {} });
  // @ts-expect-error the unit is a text
  repairs<Reading>().unit('temperature', { unit: 'pressure', to: 'C', from: {} });
  // @ts-expect-error a field keeps its type
  repairs<Reading>().custom('id', 'name', (id) => `${id}`);
};
void proveTypes;
