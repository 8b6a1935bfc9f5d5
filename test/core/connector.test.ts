import { describe, expect, it } from 'vitest';
import { lookupOf, sinkOf, sourceOf } from '../../src/connect/make.js';
import { connectorOf, defineConnector, isConnectorDefinition } from '../../src/core/connector.js';
import { type KindDefinition, writeModeOn } from '../../src/core/kind.js';
import type { LookupDriver } from '../../src/core/lookup.js';
import * as is from '../../src/core/option-types.js';
import { defaulted, required } from '../../src/core/options.js';
import { type Driver, lookupDriver, sinkDriver, sourceDriver } from '../../src/core/profile.js';
import type { SinkDriver } from '../../src/core/sink.js';
import type { SourceDriver } from '../../src/core/source.js';
import { json } from '../../src/schema/index.js';

const file = required(is.text, 'The file.');
const drivers = {
  source: { partitions: async () => 1 } as unknown as SourceDriver,
  sink: { mode: 'append' } as unknown as SinkDriver,
  lookup: {} as LookupDriver,
};
const lines = defineConnector({
  name: 'lines',
  kinds: {
    source: { role: 'source', doc: 'Reads lines.', options: { file } },
    sink: {
      role: 'sink',
      doc: 'Appends lines.',
      writes: { embedded: 'transactional', cluster: 'append' },
      options: { file, linesMax: defaulted(is.integer(1), 100, 'Lines in memory.') },
    },
    lookup: { role: 'lookup', doc: 'Looks lines up.', options: { file } },
  },
  open: async () => ({ drivers }),
});

const made = {
  source: sourceOf<unknown>(
    lines.kinds.source,
    { file: 'a' },
    {
      topic: 'a',
      schema: json<unknown>(),
      eventTimeOf: (_, timestampMs) => timestampMs,
    },
  ),
  sink: sinkOf<unknown>(lines.kinds.sink, { file: 'b' }),
  lookup: lookupOf<unknown>(lines.kinds.lookup, { file: 'c' }),
};

describe('defineConnector', () => {
  it('names each kind after the connector and leads back to it', () => {
    expect(lines.kinds.sink.kind).toBe('lines.sink');
    expect(connectorOf(lines.kinds.sink)).toBe(lines);
    expect(isConnectorDefinition(lines)).toBe(true);
    expect(isConnectorDefinition({ ...lines })).toBe(false);
    expect(isConnectorDefinition(lines.kinds)).toBe(false);
  });

  it('is frozen, and refuses a name that is no word', () => {
    expect(Object.isFrozen(lines) && Object.isFrozen(lines.kinds) && Object.isFrozen(lines.kinds.sink)).toBe(true);
    expect(() => defineConnector({ name: 'My Lines', kinds: {}, open: async () => ({ drivers: {} }) })).toThrow(
      TypeError,
    );
  });

  it('says how sure writes are, by profile where profiles differ', () => {
    expect(writeModeOn(lines.kinds.sink, 'embedded')).toBe('transactional');
    expect(writeModeOn(lines.kinds.sink, 'cluster')).toBe('append');
  });

  it('is carried by what is made of its kinds, beside options with the defaults and what is wrong with them', () => {
    expect(made.sink).toMatchObject({
      connector: 'lines',
      kind: 'lines.sink',
      settings: { file: 'b' },
      problems: [],
      options: { file: 'b', linesMax: 100 },
    });
    expect(made.sink.definition).toBe(lines.kinds.sink);
    const wrong = sinkOf(lines.kinds.sink, { linesMax: 0 }, { problems: [{ message: 'mine', hint: 'mine' }] });
    expect(wrong.problems?.map(({ message }) => message)).toEqual(['file is missing', 'linesMax is 0', 'mine']);
  });
});

describe('drivers', () => {
  const opened: string[] = [];
  const profile = {
    name: 'test',
    sources: {},
    sinks: {},
    async driver({ kind, role, connector }: KindDefinition): Promise<Driver> {
      opened.push(kind);
      expect(connector).toBe(lines);
      return drivers[role];
    },
  };

  it('are those of the definition that a source, a sink or a lookup carries', async () => {
    expect(await sourceDriver(profile, made.source, 'in')).toBe(drivers.source);
    expect(await sinkDriver(profile, made.sink, 'out')).toBe(drivers.sink);
    expect(await lookupDriver(profile, made.lookup, 'found')).toBe(drivers.lookup);
    expect(opened).toEqual(['lines.source', 'lines.sink', 'lines.lookup']);
  });

  it('are those that the profile brings, of a kind before those of a connector', async () => {
    const [mine, other] = [{ ...drivers.sink }, { ...drivers.sink }];
    expect(await sinkDriver({ ...profile, sinks: { lines: mine } }, made.sink, 'out')).toBe(mine);
    expect(await sinkDriver({ ...profile, sinks: { lines: mine, 'lines.sink': other } }, made.sink, 'out')).toBe(other);
  });

  it('are refused, with the step, where there is neither', async () => {
    const bare = { name: 'test', sinks: { dead: drivers.sink } };
    await expect(sinkDriver(bare, made.sink, 'out')).rejects.toMatchObject({
      code: 'config',
      where: 'out',
      message: expect.stringContaining("the test profile has no connector 'lines'"),
      hint: expect.stringContaining('dead'),
    });
  });
});
