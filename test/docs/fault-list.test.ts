import { describe, expect, it } from 'vitest';
import { deliveryOf, deliveryOn } from '../../src/topology/index.js';
import { connectorKinds, sinkOfKind } from '../connector-kinds.js';
import { expectedOfSinks, expectedOfSources, notInTheList } from '../integration/faults/expected.js';
import { read } from './generated.js';

// Whatever a connector publishes is run through the list of faults, by what `check` prints of it, or says why not.

const profileOf = (service: string) => (service === 'embedded' ? 'embedded' : 'cluster');
const entriesOf = <T>(table: Readonly<Record<string, Readonly<Record<string, T>>>>) =>
  Object.entries(table).flatMap(([service, kinds]) =>
    Object.entries(kinds).map(([name, entry]) => ({ service, name, kind: name.split(' ')[0] as string, entry })),
  );
const [sinks, sources] = [entriesOf(expectedOfSinks), entriesOf(expectedOfSources)];
const kindsOf = (role: 'sink' | 'source') =>
  connectorKinds.filter((each) => each.role === role).map(({ kind }) => kind);

describe('the list of faults', () => {
  it.each([
    ['sink', sinks],
    ['source', sources],
  ] as const)('has every %s, unless it is said why not', (role, entries) => {
    const inList = [...new Set(entries.map(({ kind }) => kind))];
    const without = kindsOf(role).filter((kind) => !inList.includes(kind));
    expect(without.sort()).toEqual(
      kindsOf(role)
        .filter((kind) => kind in notInTheList)
        .sort(),
    );
    expect(inList.filter((kind) => !kindsOf(role).includes(kind))).toEqual([]);
  });

  it('excuses nothing that is there, or is none', () => {
    const all = [...kindsOf('sink'), ...kindsOf('source')];
    expect(Object.keys(notInTheList).filter((kind) => !all.includes(kind))).toEqual([]);
  });

  // Positions are read at every checkpoint, and an epoch committed twice, where a process dies.
  it('has each of them die', () => {
    const faults = [
      ...sinks.map(({ name, entry }) => [name, entry.expected] as const),
      ...sources.map(({ name, entry }) => [name, entry] as const),
    ];
    expect(faults.filter(([, expected]) => expected.crash === undefined)).toEqual([]);
  });

  it.each(sinks)('holds $name on $service to what is printed of it', ({ service, kind, entry }) => {
    const { mode, deferred = false } = entry;
    const sink = sinkOfKind(kind, deferred ? { deferred: { rowsMax: 1 } } : {});
    expect(deliveryOn(profileOf(service))(sink)).toBe(deliveryOf(mode, deferred));
  });

  it('has every way of writing that the guide promises something of on the cluster profile', () => {
    const rows = [...read('docs/guide/delivery.md').matchAll(/^\| `([\w.]+)` \| `cluster` \| (?:`(\w+)` )?\|/gm)];
    const promised = rows.map(([, kind = '', option]) => (option === undefined ? kind : `${kind} ${option}`));
    const held = sinks.filter(({ service }) => profileOf(service) === 'cluster').map(({ name }) => name);
    expect(promised.length).toBeGreaterThan(20);
    expect(promised.filter((each) => !held.includes(each)).sort()).toEqual(Object.keys(likeAnother).sort());
  });
});

/** Promises of the guide that others in the list stand for. */
const likeAnother: Readonly<Record<string, string>> = {
  'clickhouse.tableSink idleTimeout': 'clickhouse.tableSink exactlyOnce',
  repartition: 'kafka.sink, whose driver it is written by',
};
