import { featureView, hashed, numeric } from '../../../src/ml/features/index.js';
import { logOf, type Random, simSource } from '../../../src/testing/sim/index.js';
import type { TopologyBuilder } from '../../../src/topology/index.js';
import { entriesOf, type Merged, merged } from './merge.js';

// Rows with labels that come later: the inputs of the scenarios whose models learn.

interface Timed {
  readonly timeMs: number;
}

export interface Label extends Timed {
  readonly of: number;
  readonly said: boolean;
}

export interface Row extends Timed {
  readonly id: number;
  readonly shop: number;
  readonly x: number;
}

export const viewOf = (name: string) =>
  featureView({
    name,
    version: 1,
    hashBits: 6,
    columns: { shop: (r: Row) => r.shop, x: (r: Row) => r.x },
    features: { x: numeric('x', { scale: 50 }), shop: hashed('shop') },
  });

/** Draws rows of shops. What makes a label true is turned round where `isTurned` says so. */
export const drawRows = (random: Random, count: number, isTurned = (_id: number) => false) =>
  drawLabelled(random, count, (id, timeMs) => {
    const row: Row = { id, timeMs, shop: random.int(9), x: random.chance(0.01) ? 1e9 : random.int(100) };
    const said = (row.x + 10 * ((row.shop * 5) % 7) > 70 !== isTurned(id)) !== random.chance(0.1);
    return { row, said };
  });

/** Draws rows in the order of their time, most of them with a label. Half of all records are rows. */
export function drawLabelled<R extends Timed>(
  random: Random,
  count: number,
  draw: (id: number, timeMs: number) => { readonly row: R; readonly said: boolean },
): { rows: R[]; labels: Label[] } {
  const rows: R[] = [];
  const labels: Label[] = [];
  for (let id = 0, timeMs = 1_000_000; id * 2 < count; id++) {
    timeMs += random.int(16);
    const { row, said } = draw(id, timeMs);
    rows.push(row);
    if (random.chance(0.95)) labels.push({ of: id, timeMs: timeMs + 1 + random.int(400), said });
  }
  labels.sort((a, b) => a.timeMs - b.timeMs);
  return { rows, labels };
}

/** The log of rows and their labels, drawn for each partition, its sources, and the order in which a task takes both. */
export function rowsAndLabels<R extends Timed, L extends Timed>(
  random: Random,
  inputs: readonly { readonly rows: readonly R[]; readonly labels: readonly L[] }[],
) {
  const timed = <T extends Timed>(values: readonly T[]) =>
    logOf(
      values.map((value) => ({ value, timestampMs: value.timeMs })),
      random,
    );
  const log = { labels: inputs.map(({ labels }) => timed(labels)), rows: inputs.map(({ rows }) => timed(rows)) };
  const source = <T extends Timed>(t: TopologyBuilder, topic: string) =>
    t.source(
      topic,
      simSource<T>(topic, ({ timeMs }) => timeMs),
    );
  return {
    log,
    sourcesOf: (t: TopologyBuilder) => ({ labels: source<L>(t, 'labels'), rows: source<R>(t, 'rows') }),
    orderOf(task: number): Merged<R | L>[] {
      const { rows = [], labels = [] } = inputs[task] ?? {};
      return merged<R | L>([entriesOf('labels', labels, log.labels[task]), entriesOf('rows', rows, log.rows[task])]);
    },
  };
}
