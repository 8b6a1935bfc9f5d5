import { expect, it } from 'vitest';
import { batch } from '../../../connectors/kafka/protocol/record-batch.js';
import { dataBatch, marker, rangeOf, record, recordsOf, resealed, sectionOf, text, withAttributes } from './batches.js';

const valuesOf = (...args: Parameters<typeof rangeOf>) => recordsOf(rangeOf(...args)).map(({ value }) => text(value));
const aborted = (producerId: bigint, firstOffset: number) => ({ producerId, firstOffset });

// The five cases in which one client or the other lets aborted records through.

it('drops both of two transactions that one producer aborted, and keeps its third', () => {
  const log = [
    dataBatch(0, ['aborted'], 7n),
    marker(1, 7n, 'abort'),
    dataBatch(2, ['aborted'], 7n),
    marker(3, 7n, 'abort'),
    dataBatch(4, ['good'], 7n),
    marker(5, 7n, 'commit'),
  ];
  expect(valuesOf(log, { aborted: [aborted(7n, 0), aborted(7n, 2)] })).toEqual(['good']);
});

it('drops aborted records whose marker lies beyond the fetched bytes, in this range and the next', () => {
  const first = rangeOf([dataBatch(0, ['aborted'], 7n), dataBatch(1, ['aborted'], 7n)], { aborted: [aborted(7n, 0)] });
  expect(recordsOf(first)).toEqual([]);
  expect(first.nextOffset).toBe(2);
  const rest = [dataBatch(2, ['aborted'], 7n), marker(3, 7n, 'abort'), dataBatch(4, ['good'], 7n)];
  expect(valuesOf(rest, { aborted: [aborted(7n, 0)], from: 2 })).toEqual(['good']);
});

it('drops both of two overlapping aborted transactions when reading starts inside them', () => {
  const log = [
    dataBatch(2, ['aborted b'], 8n),
    dataBatch(3, ['aborted a'], 7n),
    marker(4, 7n, 'abort'),
    dataBatch(5, ['aborted b'], 8n),
    marker(6, 8n, 'abort'),
    dataBatch(7, ['good'], 7n),
  ];
  expect(valuesOf(log, { aborted: [aborted(8n, 1), aborted(7n, 0)], from: 2 })).toEqual(['good']);
});

it('is not misled by a user key that looks like a marker', () => {
  const zeros = '\0\0\0\0';
  const log = [
    dataBatch(0, [record('aborted')], 7n),
    dataBatch(1, [record('aborted', zeros)], 7n),
    dataBatch(2, [record('aborted')], 7n),
    marker(3, 7n, 'abort'),
    dataBatch(4, [record('good', zeros)], 7n),
  ];
  expect(valuesOf(log, { aborted: [aborted(7n, 0)] })).toEqual(['good']);
});

it('passes over a marker without data, as a kill before the first write leaves it', () => {
  const log = [marker(0, 7n, 'abort'), dataBatch(1, ['good'], 7n), marker(2, 7n, 'commit')];
  expect(valuesOf(log)).toEqual(['good']);
});

it('keeps the records of other producers inside an aborted transaction', () => {
  const log = [
    dataBatch(0, ['aborted'], 7n),
    dataBatch(1, ['plain']),
    dataBatch(2, ['other'], 8n),
    dataBatch(3, ['aborted'], 7n),
    marker(4, 8n, 'commit'),
    marker(5, 7n, 'abort'),
  ];
  expect(valuesOf(log, { aborted: [aborted(7n, 0)] })).toEqual(['plain', 'other']);
});

it('keeps what the producer of an aborted transaction wrote outside of transactions', () => {
  const plain = withAttributes(dataBatch(1, ['plain'], 7n), 0);
  const log = [dataBatch(0, ['aborted'], 7n), plain, dataBatch(2, ['aborted'], 7n), marker(3, 7n, 'abort')];
  expect(valuesOf(log, { aborted: [aborted(7n, 0)] })).toEqual(['plain']);
});

it('puts the aborted transactions in order: brokers promise none', () => {
  const log = [dataBatch(0, ['aborted'], 7n), dataBatch(1, ['aborted'], 7n), marker(2, 7n, 'abort')];
  expect(valuesOf(log, { aborted: [aborted(8n, 50), aborted(7n, 0)] })).toEqual([]);
});

it('lets a commit marker end nothing', () => {
  // A commit of producer 7 may stand in the range before the transaction that it aborted later.
  const log = [marker(1, 7n, 'commit'), dataBatch(2, ['aborted'], 7n), marker(3, 7n, 'abort')];
  expect(valuesOf(log, { aborted: [aborted(7n, 2)], from: 1 })).toEqual([]);
});

it('gives the records from an offset inside a batch on, and tells where to go on', () => {
  const range = rangeOf([dataBatch(10, ['a', 'b', 'c']), dataBatch(13, ['d'])], { from: 12 });
  expect(recordsOf(range).map(({ offset, value }) => [offset, text(value)])).toEqual([
    [12, 'c'],
    [13, 'd'],
  ]);
  expect(range.nextOffset).toBe(14);
});

it('leaves a batch that was cut off to the next fetch', () => {
  const whole = dataBatch(0, ['a', 'b']);
  const cut = dataBatch(2, ['c', 'd']);
  for (const length of [1, 16, 17, 60, cut.length - 1]) {
    const range = rangeOf([whole, cut.subarray(0, length)]);
    expect(recordsOf(range).map(({ value }) => text(value))).toEqual(['a', 'b']);
    expect(range.nextOffset).toBe(2);
  }
});

it('refuses bytes that hold no whole batch: they would be asked for again, for ever', () => {
  const claims = dataBatch(0, ['a']);
  claims.writeInt32BE(1_000_000, 8);
  expect(() => rangeOf([claims])).toThrow(/hold no whole batch/);
});

it('gives the records of a batch in pieces: millions of empty ones fit in little', () => {
  const empty = record(null);
  const range = rangeOf([dataBatch(5, Array(150_000).fill(empty))], { from: 7 });
  const lengths: number[] = [];
  for (let records = range.take(); records; records = range.take()) lengths.push(records.length);
  expect(lengths).toEqual([65_536, 65_536, 150_000 - 2 - 2 * 65_536]);
});

it('decodes no more records than are asked for, and one at least', () => {
  const range = rangeOf([dataBatch(0, ['a', 'b', 'c', 'd', 'e', 'f']), dataBatch(6, ['g'])], { from: 1 });
  const taken = [range.take(2), range.take(9, 0), range.take(9, 1), range.take(9), range.take(9), range.take(9)];
  const offsets = taken.map((records) => records?.map(({ offset }) => offset));
  expect(offsets).toEqual([[1, 2], [3], [4], [5], [6], undefined]);
});

it('decodes records until they have taken as many bytes as are asked for', () => {
  const values = Array.from({ length: 7 }, (_, n) => String(n).repeat(100));
  const range = rangeOf([dataBatch(0, values)]);
  const sizes = [range.take(9, 250), range.take(9, 250), range.take(9, 250), range.take(9, 250)].map(
    (records) => records?.length,
  );
  expect(sizes).toEqual([3, 3, 1, undefined]); // each takes some bytes more than its value
});

it('moves past batches that compaction has emptied', () => {
  const emptied = dataBatch(0, ['gone', 'gone']).subarray(0, 61);
  emptied.writeInt32BE(49, 8);
  emptied.writeInt32BE(0, 57);
  const range = rangeOf([resealedCopy(emptied), dataBatch(2, ['a'])]);
  expect(recordsOf(range).map(({ offset }) => offset)).toEqual([2]);
});

const resealedCopy = (bytes: Buffer): Buffer => resealed(Buffer.from(bytes));

it('takes a control batch that would become too large for a damaged log, by a typed error', () => {
  const attributes = batch.transactional | batch.control | 2; // snappy
  const bomb = sectionOf(marker(0, 7n, 'abort'), attributes, Buffer.from([0x80, 0x80, 0x80, 0x80, 0x01, 0]));
  expect(() => recordsOf(rangeOf([bomb]))).toThrow(
    expect.objectContaining({ code: 'source', message: expect.stringContaining('a control batch') }),
  );
});
