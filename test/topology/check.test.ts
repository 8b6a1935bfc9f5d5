import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { file } from '../../connectors/file/index.js';
import { redis } from '../../connectors/redis/index.js';
import { s3 } from '../../connectors/s3/index.js';
import type { Sink, Source } from '../../src/core/index.js';
import { json, ndjson } from '../../src/schema/index.js';
import { check, describe as describeText, type Topology, topology, topologyHash } from '../../src/topology/index.js';
import {
  bySize,
  deadLetters,
  keepAll,
  type Order,
  orders,
  pairUp,
  type Refund,
  tableSink,
  topicSink,
  topicSource,
} from './fixtures.js';

const messages = (value: Topology) => check(value).map(({ where, message }) => `${where}: ${message}`);

describe('check', () => {
  it('finds nothing wrong with a sound topology', () => {
    expect(check(orders)).toEqual([]);
  });

  it('reports everything that is wrong at once, each with its place and a hint', () => {
    const broken = topology('Bad Name', { deadLetters: topicSink('orders.v1') }, (t) => {
      const source = t.source('orders', topicSource<Order>('orders.v1'));
      source.via('$own', keepAll()).to('out', topicSink('out.v1'));
      source.via('orders', keepAll());
      source.to('again', topicSink('out.v1'));
    });
    expect(messages(broken)).toEqual([
      'Bad Name: the name "Bad Name" is malformed',
      '$own: the name "$own" is malformed',
      'orders: the id "orders" is used 2 times',
      'again: writes to the same topic out.v1 as "out"',
      'deadLetters: writes to the topic orders.v1 that "orders" reads',
    ]);
    for (const { hint } of check(broken)) expect(hint).not.toBe('');
  });

  it('asks for a source and a sink', () => {
    expect(messages(topology('empty', { deadLetters }, () => {}))).toEqual(['empty: no source', 'empty: no sink']);
  });

  it('tells of options that a repartition, an alert or the topology does not have, and of what they lack', () => {
    const alert = { measure: 'lag_records', above: 1, for: 0, severity: 'loud', abov: 2 };
    const options = { deadLetters, alerts: [alert], deadLetter: deadLetters };
    // What comes from JavaScript.
    const wrong = topology('wrong', options as never, (t) => {
      const source = t.source('orders', topicSource<Order>('orders.v1'));
      source.repartition('moved', { key: String, partition: 3 } as never).to('out', topicSink('out.v1'));
    });
    expect(messages(wrong)).toEqual([
      'wrong: there is no option deadLetter',
      'moved: no schema for its topic',
      'moved: there is no option partition',
      'wrong: alert 1 (lag_records) has no known severity',
      'wrong: alert 1 (lag_records): there is no option abov',
    ]);
    // They are printed and hashed before a run checks them.
    expect([describeText(wrong), topologyHash(wrong)]).toEqual([expect.any(String), expect.any(String)]);
  });

  it('names streams and outputs that nobody consumes', () => {
    const open = topology('open', { deadLetters }, (t) => {
      t.source('idle', topicSource<Order>('idle.v1'));
      const { large } = t.source('orders', topicSource<Order>('orders.v1')).split('size', bySize());
      large.to('out', topicSink('out.v1'));
      large.via('forgotten', keepAll());
    });
    expect(messages(open)).toEqual([
      'idle: its stream is never consumed',
      'size: its output "small" is never consumed',
      'forgotten: its stream is never consumed',
    ]);
  });

  it('names a missing side input and a stream of another topology', () => {
    let foreign: unknown;
    topology('other', { deadLetters }, (t) => {
      foreign = t.source('refunds', topicSource('refunds.v1'));
    });
    const miswired = topology('miswired', { deadLetters }, (t) => {
      const source = t.source('orders', topicSource<Order>('orders.v1'));
      source.via('lonely', {} as never, pairUp()).to('a', topicSink('a.v1'));
      source.via('mixed', { refunds: foreign } as never, pairUp()).to('b', topicSink('b.v1'));
    });
    expect(messages(miswired)).toEqual([
      'lonely: the input "refunds" is missing',
      'mixed: the input "refunds" comes from outside this topology: (a stream of another topology)',
    ]);
  });

  it('refuses a wire to an output that a hand-made topology claims', () => {
    const [sink] = orders.sinks;
    const crooked = {
      ...orders,
      sinks: [...orders.sinks, { ...sink, id: 'extra', input: { from: 'size', output: 2 } }],
    };
    expect(check(crooked as Topology)).toContainEqual({
      where: 'extra',
      message: 'step "size" has no output 2',
      hint: 'it has 2: large, small',
    });
  });

  it('passes on what operators say of themselves', () => {
    const fussy = { ...keepAll<Order>(), problems: [{ message: 'batchMax is 0', hint: 'use 1 or more' }] };
    const value = topology('fussy', { deadLetters }, (t) => {
      t.source('orders', topicSource<Order>('orders.v1')).via('step', fussy).to('out', topicSink('out.v1'));
    });
    expect(check(value)).toEqual([{ where: 'step', message: 'batchMax is 0', hint: 'use 1 or more' }]);
  });

  it('wants a schema even where types were bypassed', () => {
    const value = topology('untyped', { deadLetters }, (t) => {
      t.source('orders', topicSource('orders.v1', { schema: undefined as never })).to('out', topicSink('out.v1'));
    });
    expect(messages(value)).toEqual(['orders: no schema for topic "orders.v1"']);
  });

  it('refuses two sources of one topic, unless they are in different sub-topologies', () => {
    const twice = topology('twice', { deadLetters }, (t) => {
      t.source('some', topicSource('orders.v1')).to('a', topicSink('a.v1'));
      t.source('more', topicSource('orders.v1')).to('b', topicSink('b.v1'));
    });
    expect(messages(twice)).toEqual(['more: reads the topic orders.v1 that "some" reads']);
    const apart = topology('apart', { deadLetters }, (t) => {
      const again = t
        .source('some', topicSource<Order>('orders.v1'))
        .repartition('by-id', { key: (order) => order.id, schema: json<Order>() });
      const refunds = t.source('refunds', topicSource<Refund>('orders.v1'));
      again.via('paired', { refunds }, pairUp()).to('out', topicSink('out.v1'));
    });
    expect(check(apart)).toEqual([]);
  });

  it('refuses a loop through files, objects and streams', () => {
    const schema = ndjson<Order>();
    const read = { schema, eventTime: () => 0 };
    const messagesOf = (source: Source<Order>, sink: Sink<Order>) =>
      messages(topology('loop', { deadLetters }, (t) => void t.source('in', source).to('out', sink)));
    const loops: readonly [Source<Order>, Sink<Order>, string][] = [
      [file.source({ ...read, path: './out/*.ndjson' }), file.sink({ folder: 'out', schema }), 'folder out'],
      [
        file.source({ ...read, path: '/d/*/*.gz' }),
        file.sink({ folder: '/d', by: 'day', schema, compression: 'gzip' }),
        'folder /d',
      ],
      [file.source({ ...read, path: 'out/*' }), file.sink({ folder: 'out/', columns: { id: 'text' } }), 'folder out/'],
      [s3.source({ ...read, path: 'lake/in/part*.ndjson' }), s3.sink({ folder: 'lake/in', schema }), 'folder lake/in'],
      [
        redis.streamSource({ stream: 'orders', schema: json<Order>() }),
        redis.streamSink({ stream: 'orders', entriesMax: 9 }),
        'stream orders',
      ],
      [
        redis.streamSource({ stream: 'orders', partitions: 4, schema: json<Order>() }),
        redis.streamSink({ stream: 'orders:3', entriesMax: 9 }),
        'stream orders:3',
      ],
    ];
    for (const [source, sink, called] of loops) {
      expect(messagesOf(source, sink)).toEqual([`out: writes to the ${called}, which "in" reads`]);
    }
    const fine: readonly [Source<Order>, Sink<Order>][] = [
      [file.source({ ...read, path: 'in/*.ndjson' }), file.sink({ folder: 'out', schema })],
      [file.source({ ...read, path: 'out/orders-*.ndjson' }), file.sink({ folder: 'out', schema })],
      [file.source({ ...read, path: 'out/*.ndjson' }), file.sink({ folder: 'out', by: 'day', schema })],
      [file.source({ ...read, path: 'out/*.ndjson' }), s3.sink({ folder: 'out', schema })],
      [
        redis.streamSource({ stream: 'orders', schema: json<Order>() }),
        redis.streamSink({ stream: 'orders:3', entriesMax: 9 }),
      ],
      [
        redis.streamSource({ stream: 'orders', schema: json<Order>() }),
        redis.streamSink({ stream: ({ id }) => id, entriesMax: 9 }),
      ],
    ];
    for (const [source, sink] of fine) expect(messagesOf(source, sink)).toEqual([]);
  });

  it('tells a table from a topic of the same name', () => {
    const value = topology('same', { deadLetters }, (t) => {
      const source = t.source('orders', topicSource<Order>('orders.v1'));
      source.to('log', topicSink('copies'));
      source.to('rows', tableSink('copies'));
    });
    expect(check(value)).toEqual([]);
  });

  it('accepts a name if and only if it can be part of a topic, a key and a file', () => {
    const named = (name: string) =>
      topology(name, { deadLetters }, (t) => t.source('in', topicSource('in.v1')).to('out', topicSink('out.v1')));
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/).filter((name) => !name.includes('..')),
        (name) => check(named(name)).length === 0,
      ),
    );
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('/', ' ', '$', ':', '\n', 'Ä', 'A', '..'),
        fc.string(),
        (before, bad, after) => {
          expect(check(named(before + bad + after))).toHaveLength(1);
        },
      ),
    );
  });
});
