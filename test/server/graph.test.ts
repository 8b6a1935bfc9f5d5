import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { graphOf } from '../../src/server/graph.js';
import type { Topology } from '../../src/topology/index.js';
import { flightDelays } from '../../topologies/flight-delays.js';
import { flightWindows } from '../../topologies/flight-windows.js';
import * as nexmark from '../../topologies/nexmark/index.js';
import { sensorAnomalies } from '../../topologies/sensor-anomalies.js';
import { spam } from '../../topologies/spam.js';
import { transfers } from '../../topologies/transfers.js';
import { type Drawn, describedBy } from './described.js';
import { orders } from './orders.js';

const bundled: readonly Topology[] = [
  flightDelays,
  flightWindows,
  sensorAnomalies,
  spam,
  transfers,
  ...Object.values(nexmark),
];

describe('the drawing of a topology', () => {
  it('has its sources, steps and sinks, with options and guarantees', () => {
    const { nodes, edges } = graphOf(orders, 'cluster');
    expect(nodes.map(({ id, role, keepsState, guarantee }) => [id, role, keepsState, guarantee])).toEqual([
      ['payments', 'source', false, undefined],
      ['orders', 'source', false, undefined],
      ['dedupe', 'step', true, undefined],
      ['large', 'step', false, undefined],
      ['paid', 'step', true, undefined],
      ['history', 'sink', false, 'exactly-once'],
      ['newest', 'sink', false, 'effectively-once'],
    ]);
    expect(nodes[2]?.settings).toMatchObject({ retention: '1h', keysMax: 1_000 });
    expect(edges.map(({ from, to, name }) => [from, to, name])).toEqual([
      ['orders', 'dedupe', undefined],
      ['dedupe', 'large', undefined],
      ['large', 'paid', undefined],
      ['payments', 'paid', 'right'],
      ['paid', 'history', undefined],
      ['paid', 'newest', undefined],
    ]);
  });

  it('shows what `describe` prints, for every example of the documents', async () => {
    const examples: Topology[] = [];
    for (const folder of ['', 'cookbook/'].map((name) => new URL(`../../docs/examples/${name}`, import.meta.url)))
      for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
        const { example } = (await import(new URL(file, folder).pathname)) as { readonly example?: Topology };
        if (example) examples.push(example);
      }
    expect(examples.length).toBeGreaterThan(60);
    for (const example of examples) expect(drawn(example), example.name).toEqual(describedBy(example));
  });

  it.each(bundled)('of $name: no two boxes overlap, all are inside, and lines go to the right', (topology) => {
    const { nodes, edges, width, height } = graphOf(topology, 'embedded');
    const at = new Map(nodes.map((node) => [node.id, node]));
    expect(nodes.length).toBe(
      topology.sources.length + topology.steps.length + topology.repartitions.length + topology.sinks.length,
    );
    for (const [i, a] of nodes.entries()) {
      expect([a.x >= 0, a.y >= 0, a.x + a.width <= width, a.y + a.height <= height]).toEqual([true, true, true, true]);
      for (const b of nodes.slice(i + 1))
        expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(
          true,
        );
    }
    for (const { from, to } of edges) expect(at.get(from)?.x).toBeLessThan(at.get(to)?.x ?? 0);
  });
});

function drawn(topology: Topology): Drawn {
  const { nodes, edges } = graphOf(topology, 'embedded');
  return {
    nodes: nodes.map(({ role, id, kind }) => `${role} ${id}, ${kind}`).sort(),
    lines: edges.map(({ from, to, name }) => `${from} to ${to}${name ? ` (${name})` : ''}`).sort(),
    guarantees: nodes.flatMap(({ role, id, guarantee }) => (role === 'sink' ? [`${id}: ${guarantee}`] : [])).sort(),
  };
}
