import { describe, expect, it } from 'vitest';
import { Batches } from '../../../connectors/clickhouse/table/batches.js';

/** Batches, and the bodies that they insert; the first insert waits until it is let go. */
function inserting(rowsMax: number, hold: Promise<void> = Promise.resolve()) {
  const bodies: Buffer[] = [];
  const insert = async (table: string, columns: readonly string[], body: Buffer) => {
    expect([table, columns]).toEqual(['flights', ['id']]);
    bodies.push(body);
    if (bodies.length === 1) await hold;
  };
  return { batches: new Batches({ table: 'flights', columns: ['id'], rowsMax, insert }), bodies };
}

describe('rows for a table', () => {
  it('are inserted in order, as bytes, so many at a time and the rest where it is flushed', async () => {
    const { batches, bodies } = inserting(3);
    for (let id = 0; id < 7; id++) batches.add(`["${id}\xe9"]`);
    await batches.flush();
    await batches.flush();
    expect(bodies.map((body) => body.toString('latin1'))).toEqual([
      '["0\xe9"]\n["1\xe9"]\n["2\xe9"]\n',
      '["3\xe9"]\n["4\xe9"]\n["5\xe9"]\n',
      '["6\xe9"]\n',
    ]);
  });

  it('are inserted a few at a time where they are wide', async () => {
    const { batches, bodies } = inserting(1_000);
    const mib = 2 ** 20;
    for (let id = 0; id < 5; id++) batches.add('x'.repeat(16 * mib - 1));
    await batches.flush();
    expect(bodies.map(({ length }) => length / mib)).toEqual([32, 32, 16]);
  });

  it('ask to wait while one body waits for another, and are dropped where it is closed then', async () => {
    let letGo = () => {};
    const { batches, bodies } = inserting(
      1,
      new Promise((resolve) => {
        letGo = resolve;
      }),
    );
    batches.add('[1]');
    expect(batches.pressure()).toBeUndefined();
    await new Promise(setImmediate);
    batches.add('[2]');
    const pressure = batches.pressure();
    letGo();
    await pressure;
    expect([pressure, batches.pressure()]).toEqual([expect.any(Promise), undefined]);
    batches.add('[3]');
    await batches.close();
    expect(bodies.join('')).toBe('[1]\n[2]\n');
  });
});
