import { expect } from 'vitest';
import type { Streams } from '../../../scripts/data/data-set.js';
import { TopologyTest } from '../../../src/testing.js';
import { check, type Topology } from '../../../src/topology/index.js';

/** Runs a topology over whole streams, to their end, in virtual time: the rows of its tables by sink. */
export async function tablesOf(topology: Topology, streams: Streams): Promise<Record<string, unknown[]>> {
  expect(check(topology)).toEqual([]);
  const run = new TopologyTest(topology);
  try {
    for (const [source, rows] of Object.entries(streams)) await run.pipe(source, rows);
    await run.finish();
    expect(run.deadLetters()).toEqual([]);
    return Object.fromEntries(topology.sinks.map(({ id }) => [id, run.output(id)]));
  } finally {
    await run.close();
  }
}
