import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BEFORE_ALL_MS,
  millis,
  type Polled,
  type Position,
  type RawRecord,
  type Source,
  type SourceReader,
} from '../../src/core/index.js';
import { Input, REPORTED_BY_OTHER_TASK, type SharedInput, TOMBSTONE, Unusable } from '../../src/runtime/input.js';
import { memorySource } from '../memory.js';

interface Row {
  readonly at: number;
  readonly text?: string;
}

const codec = {
  prepare: async () => undefined,
  decode: (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString()),
};

const recordOf = (offset: number, text: string | null, more: Partial<RawRecord> = {}): RawRecord => ({
  ...{ offset, timestampMs: offset, key: null, value: text === null ? null : Buffer.from(text) },
  ...more,
});
const rowOf = (offset: number, row: Row = { at: offset }) => recordOf(offset, JSON.stringify(row));

interface Opening {
  readonly source?: Partial<Source<Row>>;
  readonly reader?: Partial<SourceReader>;
  readonly position?: Position;
  readonly shared?: SharedInput;
  readonly now?: () => number;
}

/** An input over what a reader answers, poll after poll, and the limits that it was asked with. */
function opened(answers: readonly (Partial<Polled> | Error)[], opening: Opening = {}) {
  const { source, reader, position = { offset: 0, mergeTimeMs: BEFORE_ALL_MS }, shared, now = () => 0 } = opening;
  const asked: unknown[] = [];
  const left = [...answers];
  const answering: SourceReader = {
    async poll(...limits) {
      asked.push(limits);
      const answer = left.shift();
      if (answer instanceof Error) throw answer;
      return { records: [], ended: left.length === 0, ...answer };
    },
    close: async () => undefined,
    ...reader,
  };
  const node = { id: 'rows', source: { ...memorySource<Row>('rows', ({ at }) => at), ...source } };
  return { input: new Input(node, 3, answering, codec, now, position, shared), asked };
}

/** Everything that is buffered, as a merge takes it. */
function takeAll(input: Input) {
  const taken: { readonly value: unknown; readonly origin: Input['headOrigin']; readonly bytes: number }[] = [];
  while (input.buffered > 0) {
    taken.push({ value: input.headValue, origin: input.headOrigin, bytes: input.headBytes });
    input.shift();
  }
  return taken;
}

describe('an input', () => {
  it('gives its log in order, and holds one record at most beyond the bytes that it may', async () => {
    const length = fc.oneof(fc.nat(40), fc.integer({ min: 900, max: 3_000 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(length, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }),
        fc.array(fc.nat(6), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 8_000 }),
        async (lengths, polls, takes, bytesMax) => {
          const log = lengths.map((each, offset) => rowOf(offset, { at: offset, text: 'x'.repeat(each) }));
          // A long value is measured: an object, two names, a number and a text.
          const sizes = log.map(({ value }, offset) => {
            const bytes = value?.length ?? 0;
            return bytes + (bytes <= 1_024 ? bytes : 48 + 'at'.length + 8 + 'text'.length + (lengths[offset] ?? 0));
          });
          const answers: Partial<Polled>[] = [];
          for (let from = 0, poll = 0; from < log.length; poll++) {
            const records = log.slice(from, from + (polls[poll % polls.length] ?? 1));
            answers.push({ records });
            from += records.length;
          }
          const { input } = opened(answers);
          let taken = 0;
          for (let turn = 0; taken < log.length; turn++) {
            const wasEmpty = input.buffered === 0;
            await input.fill(1_000, bytesMax);
            if (wasEmpty) expect(input.buffered).toBeGreaterThan(0);
            const held = sizes.slice(taken, taken + input.buffered);
            expect(held.slice(0, -1).reduce((sum, size) => sum + size, 0)).toBeLessThan(bytesMax);
            for (let left = (takes[turn % takes.length] ?? 0) + (turn % 2); left > 0 && input.buffered > 0; left--) {
              expect([input.headOrigin.offset, input.headTimeMs, input.headBytes]).toEqual([
                taken,
                taken,
                sizes[taken],
              ]);
              input.shift();
              taken += 1;
            }
            input.settle();
            expect(input.position.offset).toBe(taken);
          }
          await input.fill(1_000);
          expect(input.isExhausted).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('polls while it has room, once at a time, for as many bytes as are left', async () => {
    const { input, asked } = opened([{ records: [rowOf(0), rowOf(1)] }, { records: [rowOf(2)] }, {}]);
    const polling = input.fill(3, 1_000);
    expect(input.fill(3, 1_000)).toBe(polling);
    await polling;
    expect(input.fill(2, 1_000)).toBeUndefined(); // enough records
    expect(input.fill(3, 30)).toBeUndefined(); // enough bytes: {"at":0} twice, and twice as much for each value
    await input.fill(3, 1_000);
    expect(asked).toEqual([
      [3, 1_000],
      [3, 1_000 - 4 * '{"at":0}'.length],
    ]);
    takeAll(input);
    input.ended = true;
    expect(input.fill(3, 1_000)).toBeUndefined();
    expect(input.isExhausted).toBe(false); // nobody has looked whether more is there
  });

  it('throws at the next call where a poll failed', async () => {
    const { input } = opened([new Error('gone')]);
    await input.fill(10);
    expect(() => input.fill(10)).toThrow('gone');
  });

  it('is not idle while it has records that it may not decode yet', async () => {
    let nowMs = 0;
    const source = { idleTimeout: millis(100) };
    const waits = Array.from({ length: 9 }, () => ({ ended: false }));
    const first = { records: [rowOf(0)], ended: false };
    const next = { records: [rowOf(1), rowOf(2)], ended: false };
    const { input } = opened([first, ...waits, next, {}], { source, now: () => nowMs });
    await input.fill(10);
    takeAll(input);
    for (const _ of waits) {
      nowMs += 20;
      await input.fill(10, 1);
    }
    expect(input.isIdle).toBe(true);
    await input.fill(10, 1);
    nowMs = 500;
    input.shift();
    expect([input.buffered, input.isIdle]).toEqual([0, false]);
    await input.fill(10, 1);
    expect(takeAll(input)).toMatchObject([{ origin: { offset: 2, receivedAtMs: 500 } }]);
    expect(input.isIdle).toBe(false);
  });

  it('is idle after polls in vain, and not because nobody has polled', async () => {
    let nowMs = 0;
    let answer: (polled: Polled) => void = () => undefined;
    const poll = () => new Promise<Polled>((resolve) => (answer = resolve));
    const { input } = opened([], { source: { idleTimeout: millis(100) }, reader: { poll }, now: () => nowMs });
    const inVain = async (afterMs: number) => {
      const polled = input.fill(10);
      nowMs += afterMs;
      const before = input.isIdle;
      answer({ records: [], ended: false });
      await polled;
      return [before, input.isIdle];
    };
    nowMs = 30_000; // the steps have loaded a model
    expect(await inVain(10)).toEqual([false, false]);
    for (let polls = 0; polls < 7; polls++) expect(await inVain(10)).toEqual([false, false]);
    expect(await inVain(10)).toEqual([false, true]);

    const polled = input.fill(10);
    answer({ records: [rowOf(0)], ended: false });
    await polled;
    takeAll(input);
    expect(await inVain(20)).toEqual([false, false]);
    expect(await inVain(3_600_000)).toEqual([false, false]); // the process was suspended
    nowMs += 3_000; // a sink was slow
    expect(await inVain(20)).toEqual([false, false]);
    nowMs -= 9_000; // and the clock set back
    for (let polls = 0; polls < 3; polls++) expect((await inVain(10))[0]).toBe(false);
    expect((await inVain(10))[1]).toBe(true);
  });

  it('knows where it stands in its source', async () => {
    const position = { offset: 0, mergeTimeMs: BEFORE_ALL_MS, sourceState: 'as opened' };
    const reader = { sourceStateOf: (offset: number) => `line ${offset}` };
    expect(opened([], { position }).input.stored.sourceState).toBe('as opened');
    const { input } = opened([{ records: [rowOf(0), rowOf(1)] }], { reader, position });
    await input.fill(10);
    takeAll(input);
    expect(input.stored).toEqual({
      offset: 2,
      mergeTimeMs: BEFORE_ALL_MS,
      clock: expect.anything(),
      sourceState: 'line 2',
    });
  });

  it('lets its reader delete what a checkpoint has, of a log that only this task reads', () => {
    const released: number[] = [];
    const reader = { release: (offset: number) => void released.push(offset) };
    const position = { offset: 7, mergeTimeMs: BEFORE_ALL_MS };
    opened([], { reader, position }).input.release();
    opened([], { reader, position, source: { hasWatermarkMarkers: true } }).input.release();
    expect(released).toEqual([7]);
  });

  it('counts records that are gone once the position has passed them, over all gaps', async () => {
    const { input } = opened([{ skipped: 4 }, { records: [rowOf(4)] }, { skipped: 2, records: [rowOf(7)] }, {}]);
    const skippedThen = async () => {
      await input.fill(10);
      takeAll(input);
      return input.takeSkipped();
    };
    expect([await skippedThen(), await skippedThen(), input.takeSkipped(), await skippedThen()]).toEqual([0, 4, 0, 2]);
  });
});

describe('a record that the steps cannot get', () => {
  const unusable = [
    recordOf(0, null),
    recordOf(1, 'x', { refusal: { reason: 'too-many-headers', detail: '2,000 headers' } }),
    recordOf(2, 'not JSON'),
    recordOf(3, '{"at":"yesterday"}', { timestampMs: -1 }),
    recordOf(4, 'null'),
    rowOf(5),
  ];
  const valuesOf = async (opening: Opening) => {
    const { input } = opened([{ records: unusable }], opening);
    await input.fill(10);
    return takeAll(input);
  };

  it('keeps its place, with the reason and the time of its log', async () => {
    const taken = await valuesOf({});
    const reasons = taken.map(({ value }) => (value instanceof Unusable ? value.reason : value));
    expect(reasons).toEqual(['tombstone', 'too-many-headers', 'malformed', 'event-time', 'event-time', { at: 5 }]);
    expect(taken.map(({ origin }) => [origin.offset, origin.eventTimeMs])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 0],
      [4, 4],
      [5, 5],
    ]);
    expect(taken[3]?.value).toMatchObject({ detail: 'event time is "yesterday"' });
    expect(taken[5]?.origin).toMatchObject({ topic: 'rows', partition: 3, raw: unusable[5]?.value, json: undefined });
  });

  it('of an input that all tasks read is told by one of them; a tombstone is no letter', async () => {
    const values = async (isReporter: boolean) =>
      (await valuesOf({ shared: { task: 1, isReporter } })).map(({ value }) => value);
    const others = await values(false);
    expect(others).toEqual([TOMBSTONE, ...new Array(4).fill(REPORTED_BY_OTHER_TASK), { at: 5 }]);
    expect((await values(true)).filter((value) => value === REPORTED_BY_OTHER_TASK)).toEqual([]);
  });

  it('of a table is one without a key: one without a value takes the row away', async () => {
    const { input } = opened(
      [
        {
          records: [
            recordOf(0, '{"at":7}', { key: Buffer.from('a') }),
            recordOf(1, null, { key: Buffer.from('a') }),
            recordOf(2, '{"at":7}'),
            recordOf(3, 'not JSON', { key: Buffer.from('a') }),
          ],
        },
      ],
      { source: { upserts: true, eventTimeOf: (_, timestampMs) => timestampMs } },
    );
    await input.fill(10);
    expect(takeAll(input).map(({ value }) => value)).toEqual([
      { key: 'a', value: { at: 7 } },
      { key: 'a', value: null },
      expect.objectContaining({ reason: 'empty-key' }),
      expect.objectContaining({ reason: 'malformed' }),
    ]);
  });

  it('takes its bytes alone, and each header more than its content', async () => {
    const headers = [['h', Buffer.from('ab')]] as const;
    const { input } = opened([{ records: [recordOf(0, 'x'.repeat(2_000)), { ...rowOf(1), headers }] }]);
    await input.fill(10);
    expect(takeAll(input).map(({ bytes }) => bytes)).toEqual([4_000, 2 * ('{"at":1}'.length + 'hab'.length + 150)]);
  });
});
