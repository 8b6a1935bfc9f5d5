import { describe, expect, it } from 'vitest';
import { deliveryOn } from '../../../src/cli/guarantees.js';
import { type SinkFaultWorld, sinkFaults } from '../../../src/testing/fault-contract.js';
import { type SourceFaultWorld, sourceFaults } from '../../../src/testing/source-fault-contract.js';
import { deliveryOf } from '../../../src/topology/index.js';
import * as clickhouse from './clickhouse.js';
import { expectedOfSinks, expectedOfSources } from './expected.js';
import * as http from './http.js';
import * as postgres from './postgres.js';
import * as redis from './redis.js';
import * as s3 from './s3.js';

// The fault list against real services. A kind joins by a line here and one in expected.ts.

const sinks: Readonly<Record<string, () => Promise<SinkFaultWorld>>> = {
  'redis.hash': redis.hashes,
  'postgres.table': postgres.rows,
  'clickhouse.table': clickhouse.table,
  'http.webhook': http.webhook,
  's3.sink': s3.objects,
};

// Side by side, since most of the time they wait; each kind has a service of its own.
describe.concurrent.each(Object.entries(sinks))('%s', (kind, open) => {
  const of = expectedOfSinks[kind];
  if (of === undefined) throw new Error(`nothing is expected of ${kind}`);

  it.sequential('guarantees what check prints', async () => {
    const world = await open();
    expect(world.sink.kind).toBe(kind);
    expect(deliveryOn('local')(world.sink)).toBe(deliveryOf(world.driver.mode));
    await world.close();
  });

  for (const { name, run } of sinkFaults(of, open)) it.sequential(name, run);
});

const sources: Readonly<Record<string, () => Promise<SourceFaultWorld>>> = {
  'http.poll': http.poll,
  's3.source': s3.objectRows,
};

describe.concurrent.each(Object.entries(sources))('%s', (kind, open) => {
  const expected = expectedOfSources[kind];
  if (expected === undefined) throw new Error(`nothing is expected of ${kind}`);
  for (const { name, run } of sourceFaults(expected, open)) it.sequential(name, run);
});
