import {
  BEFORE_ALL_MS,
  markRecord,
  millis,
  type Origin,
  type Position,
  type RawRecord,
  type WatermarkMarker,
} from '../../src/core/index.js';
import { Input } from '../../src/runtime/input.js';
import { eventTimeOf, mergeRound } from '../../src/runtime/merge.js';
import type { WireCodec } from '../../src/schema/index.js';

/** A value of the tests in this folder: an event time and nothing else. */
export interface Timed {
  readonly timeMs: number;
}

const codec: WireCodec<unknown> = {
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  prepare: async () => undefined,
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
};

/** An input over times in log order that hands out its records in polls of the given sizes. */
export function inputOf(
  topic: string,
  times: readonly number[],
  pollSizes: readonly number[] = [3],
  position: Position = { offset: 0, mergeTimeMs: BEFORE_ALL_MS },
  disorderMs = 0,
): Input {
  const log = times.map(
    (timeMs, offset): RawRecord => ({ offset, timestampMs: timeMs, key: null, value: codec.encode({ timeMs }) }),
  );
  return inputOver(topic, log, pollSizes, position, disorderMs);
}

/** What lies in a log with marks: a record's event time, or a mark. */
export type Placed = number | WatermarkMarker;

/** An input over a log with marks. */
export function markedInput(
  topic: string,
  placed: readonly Placed[],
  pollSizes: readonly number[] = [3],
  position: Position = { offset: 0, mergeTimeMs: BEFORE_ALL_MS },
): Input {
  const log = placed.map((each, offset): RawRecord => {
    if (typeof each !== 'number') return { offset, ...markRecord(each) };
    return { offset, timestampMs: each, key: null, value: codec.encode({ timeMs: each }) };
  });
  return inputOver(topic, log, pollSizes, position, 0, true);
}

function inputOver(
  topic: string,
  log: readonly RawRecord[],
  pollSizes: readonly number[],
  position: Position,
  disorderMs: number,
  marked = false,
): Input {
  let next = position.offset;
  let polls = 0;
  const reader = {
    poll: async () => {
      const size = pollSizes[polls++ % pollSizes.length] ?? 1;
      const records = log.slice(next, next + size);
      next += records.length;
      return { records, ended: next >= log.length };
    },
    close: async () => undefined,
  };
  const node = {
    id: topic,
    source: {
      connector: 'test',
      kind: 'test',
      topic,
      schema: { format: 'json' as const, subject: topic, definition: undefined },
      settings: {},
      outOfOrdernessMax: millis(disorderMs),
      hasWatermarkMarkers: marked,
      eventTimeOf: (value: unknown) => (value as Timed).timeMs,
    },
  };
  return new Input(node, 0, reader, codec, () => 0, position);
}

/** Runs the merge to its end; `topic@offset` in the order of each round, and where the watermark rose. */
export async function mergeAll(
  inputs: readonly Input[],
  roundMax: number,
): Promise<{ order: string[]; ticks: { watermarkMs: number; at: string }[] }> {
  const order: string[] = [];
  const ticks: { watermarkMs: number; at: string }[] = [];
  const time = eventTimeOf(inputs);
  for (;;) {
    for (const input of inputs) input.ended = input.isExhausted; // as a task decides
    if (inputs.every((input) => input.ended)) break;
    const polls = inputs.map((input) => input.fill(roundMax));
    const round = mergeRound(inputs, roundMax, time);
    if (!round) {
      await Promise.race(polls.filter((_, index) => inputs[index]?.buffered === 0));
      continue;
    }
    const origins: Origin[] = round.shares.flatMap((share) => [
      ...share.origins,
      ...share.unusable.map(({ origin }) => origin),
    ]);
    origins.sort((a, b) => a.order - b.order);
    order.push(...origins.map(({ topic, offset }) => `${topic}@${offset}`));
    ticks.push(
      ...round.ticks.map(({ watermarkMs, origin }) => ({ watermarkMs, at: `${origin.topic}@${origin.offset}` })),
    );
  }
  return { order, ticks };
}
