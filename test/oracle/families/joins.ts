import {
  innerJoin,
  innerJoinTables,
  joinTable,
  leftJoin,
  leftJoinTable,
  leftJoinTables,
  outerJoin,
  outerJoinTables,
  table,
} from '../../../src/operators/index.js';
import type { Driven } from '../../../src/testing/drive-operator.js';
import type { Random } from '../../../src/testing/sim/index.js';
import { length, ms, type OperatorFamily, type OracleInput, restarts, times } from '../case.js';

interface Value {
  readonly k: string | null;
  readonly id: number;
}
type Side = Value | null;

interface JoinOptions {
  readonly kind: 'inner' | 'left' | 'outer';
  readonly before: number;
  readonly after: number;
  readonly lateness: number;
}

const k = ({ k }: Value) => k;
const pair = (left: Side, right: Side) => [left?.id ?? null, right?.id ?? null];
const someKey = (random: Random, keys: number) => (random.chance(0.02) ? null : `k${random.int(keys)}`);

/** Two streams. `before` may be below zero as `after` may: then all of the interval lies on one side of a record. */
export const joins: OperatorFamily<JoinOptions> = {
  name: 'joins',
  draw(random) {
    const disorderMs = random.pick([0, 0, 5, 20]);
    const count = length(random);
    const keys = 1 + random.int(3);
    const [before, after] = random.pick([
      [0, 0],
      [0, 20],
      [15, 0],
      [10, 10],
      [30, -10],
      [-5, 25],
      [2, 60],
    ] as const);
    return {
      options: { kind: random.pick(['inner', 'left', 'outer']), before, after, lateness: random.pick([0, 0, 4, 25]) },
      disorderMs,
      inputs: times(random, count, disorderMs).map((t, id) => ({
        in: random.int(2),
        t,
        v: { k: someKey(random, keys), id },
      })),
      restarts: restarts(random, count),
    };
  },
  operator({ kind, before, after, lateness }): Driven {
    const options = {
      keys: { left: k, right: k },
      within: { before: ms(before), after: ms(after) },
      allowedLateness: ms(lateness),
      entriesMax: 1_000,
      combine: pair,
    };
    return kind === 'inner' ? innerJoin(options) : kind === 'left' ? leftJoin(options) : outerJoin(options);
  },
};

interface TableJoinOptions {
  readonly kind: 'inner' | 'left';
  readonly lateness: number;
}

interface Row {
  readonly key: string;
  readonly id: number;
}

/** A valid changelog: each change begins where the last one of its key ended. Rows keep their key. */
class Changelog {
  private readonly rows = new Map<string, Row>();

  draw(random: Random, keys: number, id: number) {
    const key = `k${random.int(keys)}`;
    const before = this.rows.get(key) ?? null;
    const after = before !== null && random.chance(0.3) ? null : { key, id };
    if (after) this.rows.set(key, after);
    else this.rows.delete(key);
    return { key, before, after };
  }
}

/** A stream and a table as of the record's time. */
export const tableJoins: OperatorFamily<TableJoinOptions> = {
  name: 'table-joins',
  draw(random) {
    const disorderMs = random.pick([0, 0, 5, 20]);
    const count = length(random);
    const keys = 1 + random.int(3);
    const log = new Changelog();
    return {
      options: { kind: random.pick(['inner', 'left']), lateness: random.pick([0, 0, 4, 25]) },
      disorderMs,
      inputs: times(random, count, disorderMs).map(
        (t, id): OracleInput =>
          random.chance(0.5)
            ? { in: 0, t, v: { k: someKey(random, keys), id } }
            : { in: 1, t, v: log.draw(random, keys, id) },
      ),
      restarts: restarts(random, count),
    };
  },
  operator({ kind, lateness }): Driven {
    const options = {
      key: k,
      allowedLateness: ms(lateness),
      keysMax: 100,
      pendingMax: 1_000,
      combine: (value: Value, row: Row | null) => [value.id, row?.id ?? null],
    };
    return kind === 'inner' ? joinTable(options) : leftJoinTable(options);
  },
};

interface TableOptions {
  readonly kind: 'table' | 'inner' | 'left' | 'outer';
  readonly keysMax: number;
}

/** A table by itself, and two tables joined into a third. */
export const tables: OperatorFamily<TableOptions> = {
  name: 'tables',
  draw(random) {
    const count = length(random);
    const kind = random.pick(['table', 'inner', 'left', 'outer'] as const);
    const keys = 1 + random.int(6);
    const logs = [new Changelog(), new Changelog()] as const;
    const change = (id: number): Omit<OracleInput, 't'> => {
      if (kind === 'table')
        return { in: 0, v: { key: `k${random.int(keys)}`, value: random.chance(0.3) ? null : { id } } };
      const side = random.int(2) as 0 | 1;
      return { in: side, v: logs[side].draw(random, keys, id) };
    };
    return {
      options: { kind, keysMax: kind === 'table' ? random.pick([2, 100]) : 100 },
      disorderMs: 0,
      inputs: times(random, count, 0).map((t, id) => ({ t, ...change(id) })),
      restarts: restarts(random, count),
    };
  },
  operator({ kind, keysMax }): Driven {
    const combine = (left: Row | null, right: Row | null) => [left?.id ?? null, right?.id ?? null];
    switch (kind) {
      case 'table':
        return table({ keysMax });
      case 'inner':
        return innerJoinTables({ keysMax, combine });
      case 'left':
        return leftJoinTables({ keysMax, combine });
      case 'outer':
        return outerJoinTables({ keysMax, combine });
    }
  },
};
