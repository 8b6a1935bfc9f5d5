import { describe, expect, it } from 'vitest';
import type { ContractCheck } from '../../../src/testing/contract.js';
import { type SinkFaultWorld, sinkFaults } from '../../../src/testing/fault-contract.js';
import type { FaultName } from '../../../src/testing/fault-list.js';
import { type SourceFaultWorld, sourceFaults } from '../../../src/testing/source-fault-contract.js';
import { deliveryOf, deliveryOn } from '../../../src/topology/index.js';
import { expectedOfSinks, expectedOfSources } from './expected.js';

/** The kinds of a service, each with a world of its own. */
export interface Service {
  readonly sinks?: Readonly<Record<string, () => Promise<SinkFaultWorld>>>;
  readonly sources?: Readonly<Record<string, () => Promise<SourceFaultWorld>>>;
  /** Faults that cannot be made on this machine, and why. */
  readonly notHere?: Partial<Readonly<Record<FaultName, string>>>;
}

/** Tests of all kinds of a service, in lanes side by side: kinds of one lane share what may be killed, and come one after another. */
export function testKinds(service: string, ...lanes: readonly Service[]): void {
  it('has a world for each kind of which something is expected', () => {
    const worlds = (role: 'sinks' | 'sources') => lanes.flatMap((lane) => Object.keys(lane[role] ?? {})).sort();
    expect(worlds('sinks')).toEqual(Object.keys(expectedOfSinks[service] ?? {}).sort());
    expect(worlds('sources')).toEqual(Object.keys(expectedOfSources[service] ?? {}).sort());
  });
  for (const [n, lane] of lanes.entries()) describe.concurrent(`lane ${n}`, () => testLane(service, lane));
}

function testLane(service: string, { sinks = {}, sources = {}, notHere = {} }: Service): void {
  const profile = service === 'embedded' ? 'embedded' : 'cluster';
  const testAll = (checks: readonly ContractCheck[]) => {
    for (const { name, run } of checks) {
      const why = notHere[name.split(':')[0] as FaultName];
      it.skipIf(why !== undefined)(why === undefined ? name : `${name} (not here: ${why})`, run);
    }
  };

  for (const [kind, open] of Object.entries(sinks)) {
    describe.sequential(kind, () => {
      it('guarantees what check prints', async () => {
        const world = await open();
        const { sink, driver, deferred = false } = world;
        expect(sink.kind).toBe(kind.split(' ')[0]);
        // Of a topology in which a clock decides, the guide says what is promised: see 'A quiet input'.
        const asked = deferred ? { ...sink, deferred: { rowsMax: 1 } } : sink;
        expect(deliveryOn(profile)(asked)).toBe(deliveryOf(driver.mode, asked.deferred !== undefined));
        await world.close();
      });
      testAll(sinkFaults(expectedOf(expectedOfSinks, service, kind), open));
    });
  }

  for (const [kind, open] of Object.entries(sources)) {
    describe.sequential(kind, () => {
      testAll(sourceFaults(expectedOf(expectedOfSources, service, kind), open));
    });
  }
}

function expectedOf<T>(table: Readonly<Record<string, Readonly<Record<string, T>>>>, service: string, kind: string): T {
  const found = table[service]?.[kind];
  if (found === undefined) throw new Error(`nothing is expected of ${kind} on ${service}`);
  return found;
}
