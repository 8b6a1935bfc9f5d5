import { describe, expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import type { Publishing } from '../../../connectors/redis/publish-writer.js';
import { ENTRY_FIELDS_MAX, type Structure, structureOf } from '../../../connectors/redis/structures.js';
import { hours } from '../../../src/core/index.js';
import type { Sink } from '../../../src/core/sink.js';

// What each sink writes of a value, and which values it refuses.

const key = () => 'k';
const structure = (sink: Sink<never>) => structureOf(sink.kind, sink.options) as Structure;
const stringsOf = (sink: Sink<never>, value: unknown) => structure(sink).strings(value);
const refusal = (sink: Sink<never>, value: unknown) => structure(sink).unrepresentable(value);
const HALF = 'text with half of a surrogate pair, which UTF-8 has not';
const circular: { self?: unknown } = {};
circular.self = circular;

describe('redis.stringSink', () => {
  const json = redis.stringSink({ key });
  const own = redis.stringSink({ key, value: (v: { t: string | Uint8Array | null }) => v.t });

  it('writes JSON, or what `value` gives; nothing is left of null', () => {
    expect(stringsOf(json, { a: 1 })).toEqual(['{"a":1}']);
    expect(stringsOf(json, 0)).toEqual(['0']);
    expect(stringsOf(json, null)).toEqual([]);
    expect(stringsOf(json, undefined)).toEqual([]);
    expect(stringsOf(own, { t: 'text' })).toEqual(['text']);
    expect(stringsOf(own, { t: '' })).toEqual(['']);
    expect(stringsOf(own, { t: null })).toEqual([]);
    expect(stringsOf(own, {})).toEqual([]);
    const bytes = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
    expect(stringsOf(own, { t: bytes })).toEqual([Buffer.from([1, 2])]);
  });

  it('refuses what is no text, no bytes, or no JSON', () => {
    expect(['', 'x', null, undefined, new Uint8Array(1)].map((t) => refusal(own, { t }))).toEqual(
      Array(5).fill(undefined),
    );
    expect(refusal(own, { t: 7 })).toBe('`value` gives something of type number');
    expect(refusal(own, { t: '\ud800' })).toBe(HALF);
    expect(refusal(json, circular)).toMatch(/^no JSON: /);
    expect(refusal(json, { a: 1 })).toBeUndefined();
    expect(refusal(redis.stringSink({ key: (v: { k: string }) => v.k }), { k: '' })).toBe(
      '`key` gives an empty text, not a text',
    );
    expect(refusal(redis.stringSink({ key: (v: { k: string }) => v.k }), {})).toBe(
      '`key` gives something of type undefined, not a text',
    );
    expect(refusal(redis.stringSink({ key: (v: { k: string }) => v.k }), { k: '\udc00' })).toBe(
      '`key` gives text with half of a surrogate pair, which UTF-8 has not',
    );
  });
});

describe('redis.jsonSink', () => {
  const document = redis.jsonSink({ key });
  const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown;

  it('writes a document of the value, or of what `value` gives', () => {
    expect(stringsOf(document, { a: [1] })).toEqual(['{"a":[1]}']);
    expect(stringsOf(document, null)).toEqual([]);
    expect(stringsOf(redis.jsonSink({ key, value: (v: { a: number }) => v.a }), { a: 5 })).toEqual(['5']);
  });

  it('refuses documents that RedisJSON does not read: too deep, or with half of a character', () => {
    expect([1, 127].map((depth) => refusal(document, nested(depth)))).toEqual([undefined, undefined]);
    for (const depth of [128, 200])
      expect(refusal(document, nested(depth))).toBe('nested deeper than 127, which Redis does not read');
    // Neither many brackets beside each other nor brackets in texts are depth.
    expect(
      refusal(
        document,
        Array.from({ length: 300 }, () => [{}]),
      ),
    ).toBeUndefined();
    expect(refusal(document, { t: '[{"'.repeat(200) })).toBeUndefined();
    expect(refusal(document, { t: '\\"[\\'.repeat(200) })).toBeUndefined();
    expect(refusal(document, ['"\\', nested(127)])).toBe('nested deeper than 127, which Redis does not read');
    expect(refusal(document, [nested(126), nested(126)])).toBeUndefined();
    expect(refusal(document, [nested(126), { a: nested(126) }])).toBe(
      'nested deeper than 127, which Redis does not read',
    );
    for (const half of ['\ud800', `${'x'.repeat(200)}\udfff`]) expect(refusal(document, { half })).toBe(HALF);
    // An emoji is whole, and `\\ud800` as six characters is a text like any other.
    expect(['😀', '\\ud800', 'x'.repeat(200)].map((text) => refusal(document, { text }))).toEqual(
      Array(3).fill(undefined),
    );
    expect(refusal(document, { text: '\\\ud800' })).toBe(HALF);
    expect(refusal(document, circular)).toMatch(/^no JSON: /);
    expect(refusal(redis.jsonSink({ key: () => '' }), {})).toBe('`key` gives an empty text, not a text');
  });

  it('takes texts of many megabytes', () => {
    expect(refusal(document, { text: 'x'.repeat(12_000_000) })).toBeUndefined();
    expect(refusal(document, { text: `${'\\'.repeat(12_000_000)}ud800` })).toBeUndefined();
  });
});

describe('redis.hashSink and redis.upsertSink', () => {
  const hash = redis.hashSink<object>({ key, ttl: hours(1) });

  it('write the fields of a value as texts, without those that have none', () => {
    const value = { text: 'a', n: 0.1, flag: false, list: [1], none: null, nothing: undefined, big: 2n };
    expect(stringsOf(hash, value)).toEqual(['text', 'a', 'n', '0.1', 'flag', 'false', 'list', '[1]', 'big', '2']);
    expect(stringsOf(hash, JSON.parse('{"__proto__":"p"}'))).toEqual(['__proto__', 'p']);
    expect(stringsOf(hash, null)).toEqual([]);
    expect(stringsOf(redis.upsertSink({ prefix: 'p:' }), { key: 'a', before: null, after: { n: 1 } })).toEqual([
      'n',
      '1',
    ]);
    expect(stringsOf(redis.upsertSink({ prefix: 'p:' }), { key: 'a', before: { n: 1 }, after: null })).toEqual([]);
  });

  it('refuse what is no field, by its name', () => {
    expect(refusal(hash, { n: null, list: [1], text: 'a', nothing: undefined })).toBeUndefined();
    expect(refusal(hash, null)).toBeUndefined();
    expect(refusal(hash, { list: circular })).toMatch(/^field list is no JSON: /);
    expect(refusal(hash, { call: () => 1 })).toBe('field call is a function');
    expect(refusal(hash, { symbol: Symbol('s') })).toBe('field symbol is a symbol');
    expect(refusal(hash, { text: '\ud800' })).toBe(`field text is ${HALF}`);
    expect(refusal(hash, { '\ud800': 'a' })).toBe(`the name of a field is ${HALF}`);
    expect(refusal(hash, new Map())).toBe('a Map has no fields');
    expect(refusal(hash, new Set())).toBe('a Set has no fields');
    expect(refusal(redis.hashSink({ key: () => '', ttl: hours(1) }), {})).toBe('`key` gives an empty text, not a text');
  });

  it('that keep the newest of several values write each of them', () => {
    const newest = structure(redis.hashSink<object>({ key, ttl: hours(1), newest: 'at' } as never));
    expect([newest.how, newest.replaces]).toEqual(['at', false]);
    expect([structure(hash).how, structure(hash).replaces]).toEqual(['', true]);
  });
});

describe('sinks that add up', () => {
  const member = (v: { m: string }) => v.m;

  it('write their command first', () => {
    const ranking = redis.sortedSetSink({ key: 'r', member, score: (v: { m: string; s: number | null }) => v.s });
    expect(stringsOf(ranking, { m: 'a', s: 0 })).toEqual(['ZADD', '0', 'a']);
    for (const s of [null, undefined]) expect(stringsOf(ranking, { m: 'a', s })).toEqual(['ZREM', 'a']);
    expect(stringsOf(redis.setSink({ key: 's', member }), { m: 'a' })).toEqual(['SADD', 'a']);
    const isIn = redis.setSink({ key: 's', member, isIn: (v: { m: string; in: boolean }) => v.in });
    expect([true, false].map((is) => stringsOf(isIn, { m: 'a', in: is })[0])).toEqual(['SADD', 'SREM']);
    expect(stringsOf(redis.counterSink({ key }), {})).toEqual(['INCRBY', '1']);
    expect(stringsOf(redis.counterSink({ key, fractions: true, by: () => 0.5 }), {})).toEqual(['INCRBYFLOAT', '0.5']);
    expect(stringsOf(redis.counterSink({ key, field: 'f', by: () => 3 }), {})).toEqual(['HINCRBY', 'f', '3']);
    const byField = redis.counterSink({ key, field: member, fractions: true });
    expect(stringsOf(byField, { m: 'day' })).toEqual(['HINCRBYFLOAT', 'day', '1']);
    expect(
      stringsOf(redis.streamSink({ stream: 's', entriesMax: 9, fields: (v: { m: string }) => ({ x: v.m }) }), {
        m: 'a',
      }),
    ).toEqual(['x', 'a']);
  });

  it('refuse keys, members and fields that are no texts', () => {
    const ranking = redis.sortedSetSink({ key, member, score: (v: { m: string; s: number | null }) => v.s });
    expect([0, null, undefined, Number.POSITIVE_INFINITY].map((s) => refusal(ranking, { m: 'a', s }))).toEqual(
      Array(4).fill(undefined),
    );
    expect(refusal(ranking, { m: '', s: 1 })).toBe('`member` gives an empty text, not a text');
    expect(refusal(ranking, { m: 'a', s: 'high' })).toBe(
      '`score` gives something of type string, not a number or null',
    );
    const isIn = redis.setSink({ key, member });
    expect(refusal(isIn, { m: 'a' })).toBeUndefined();
    expect(refusal(isIn, {})).toBe('`member` gives something of type undefined, not a text');
    expect(refusal(redis.setSink({ key: () => '', member }), { m: 'a' })).toBe('`key` gives an empty text, not a text');
    const counter = redis.counterSink({ key, field: member });
    expect(refusal(counter, { m: 'a' })).toBeUndefined();
    expect(refusal(counter, { m: '' })).toBe('`field` gives an empty text, not a text');
    expect(refusal(redis.counterSink({ key }), {})).toBeUndefined();
    expect(refusal(redis.counterSink({ key: () => '' }), {})).toBe('`key` gives an empty text, not a text');
    expect(refusal(redis.counterSink({ key, fractions: true, by: () => Number.POSITIVE_INFINITY }), {})).toBe(
      '`by` gives Infinity, not a number',
    );
  });

  it('bound an entry of a stream by what a script takes', () => {
    const stream = redis.streamSink<object>({ stream: 's', entriesMax: 5, exact: true });
    const wide = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, n]));
    expect(ENTRY_FIELDS_MAX).toBe(3_500);
    expect(refusal(stream, wide(3_500))).toBeUndefined();
    expect(refusal(stream, wide(3_501))).toBe('an entry has at most 3500 fields, not 3501');
    expect(refusal(stream, { none: null })).toBe('an entry needs a field');
    expect(refusal(stream, { call: () => 1 })).toBe('field call is a function');
    expect([structure(stream).limit, structure(stream).how]).toEqual([5, '=']);
    expect(structure(redis.streamSink<object>({ stream: 's', entriesMax: 9 })).how).toBe('~');
  });

  it('keep the best of a ranking where it has a size', () => {
    const score = () => 1;
    const highest = structure(redis.sortedSetSink({ key, member, score, sizeMax: 3 }));
    expect([highest.limit, highest.how]).toEqual([3, 'highest']);
    expect(structure(redis.sortedSetSink({ key, member, score, sizeMax: 3, keep: 'lowest' })).how).toBe('lowest');
  });

  it('are told from those that replace', () => {
    const sinks = [
      redis.stringSink({ key }),
      redis.jsonSink({ key }),
      redis.setSink({ key, member }),
      redis.counterSink({ key }),
      redis.streamSink({ stream: 's', entriesMax: 9 }),
      redis.sortedSetSink({ key, member, score: () => 1 }),
    ];
    expect(sinks.map((sink) => structure(sink as Sink<never>).replaces)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(structureOf('redis.unknown', {})).toBeUndefined();
  });
});

describe('redis.publishSink', () => {
  const publishing = (sink: Sink<never>) => sink.options as Publishing;
  const json = publishing(redis.publishSink({ channel: 'live' }));
  const own = publishing(redis.publishSink({ channel: (v: { c: string; m: never }) => v.c, message: (v) => v.m }));

  it('publishes JSON, or what `message` gives', () => {
    expect([json.channel({}), json.message({ a: 1 }), json.message(undefined)]).toEqual(['live', '{"a":1}', 'null']);
    expect([own.channel({ c: 'x' }), own.message({ m: 'text' })]).toEqual(['x', 'text']);
    expect(own.message({ m: new Uint8Array([1, 2]) })).toEqual(Buffer.from([1, 2]));
  });

  it('refuses what is no message or has no channel', () => {
    expect(['', 'a', new Uint8Array(1)].map((m) => own.unrepresentable({ c: 'x', m }))).toEqual(
      Array(3).fill(undefined),
    );
    expect(own.unrepresentable({ c: 'x', m: 1 })).toBe('`message` gives something of type number');
    expect(own.unrepresentable({ c: 'x', m: '\ud800' })).toBe(HALF);
    expect(own.unrepresentable({ c: '', m: 'a' })).toBe('`channel` gives an empty text, not a text');
    expect(json.unrepresentable(circular)).toMatch(/^no JSON: /);
    expect(json.unrepresentable({})).toBeUndefined();
  });
});
