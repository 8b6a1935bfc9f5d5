import { kafka } from '../../../connectors/kafka/index.js';
import { MillraceError, messageOf } from '../../../src/core/errors.js';
import type { Schema } from '../../../src/core/schema.js';
import { json, localRegistry, openCodec } from '../../../src/schema/index.js';
import { TopologyTest } from '../../../src/testing/topology-test.js';
import { topology } from '../../../src/topology/index.js';
import { type Chance, chanceOf } from '../chance.js';
import { spoilt } from '../spoilt-bytes.js';
import type { Format } from './formats.js';

// Payloads that a broken or hostile producer might send. They go through a whole topology, so that each must come out as a
// value or as a dead letter.

export interface Outcome {
  readonly values: number;
  readonly deadLettersByReason: Readonly<Record<string, number>>;
}

const BATCH = 10_000;
/** One in so many values is written and read again. */
const WRITTEN = 16;

/**
 * Sends so many payloads of a format through a topology: good ones spoilt, and those of the hostile writer. Throws where one of
 * them is neither a value nor a dead letter with a reason, where a value is one that nobody could use, and where anything fails
 * that is no payload.
 */
export async function fuzzFormat(format: Format, payloads: number, seed: number): Promise<Outcome> {
  const { schema, values } = format;
  const chance = chanceOf(seed);
  const codec = await openCodec(schema, localRegistry());
  const originals = values.map((value) => codec.encode(value));
  const reasons = new Map<string, number>();
  let accepted = 0;
  for (let done = 0; done < payloads; done += BATCH) {
    const count = Math.min(BATCH, payloads - done);
    const sent = Array.from({ length: count }, (_, at) => payloadOf(format, originals, at, chance));
    const outcome = await through(schema, sent);
    accepted += outcome.values.length;
    for (const reason of outcome.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (outcome.values.length + outcome.reasons.length !== count || outcome.reasons.includes('')) {
      throw new Error(`${count} became ${outcome.values.length} values and ${outcome.reasons.length} dead letters`);
    }
    for (const [at, value] of outcome.values.entries()) {
      assertUsable(value);
      if (at % WRITTEN !== 0) continue;
      const written = writtenBy(codec, value);
      if (!written) continue;
      const again = codec.encode(codec.decode(written));
      if (Buffer.compare(written, again) !== 0) throw new Error(`read and written again: ${String(written)}`);
    }
  }
  if (Object.keys(Object.prototype).length > 0) throw new Error('a payload has changed what objects are');
  return { values: accepted, deadLettersByReason: Object.fromEntries([...reasons].sort()) };
}

function payloadOf(format: Format, originals: readonly Uint8Array[], at: number, chance: Chance): Uint8Array {
  const first = originals[0] as Uint8Array;
  const header = first.subarray(0, format.headerBytes);
  if (at % 2 === 0) {
    const hostile = Buffer.concat([header, format.hostile(chance)]);
    return at % 8 === 0 ? spoilt(hostile, chance) : hostile;
  }
  const mutant = spoilt(originals[(at >> 2) % originals.length] as Uint8Array, chance);
  // Half of them keep a header that is known: otherwise most would never get past it.
  if (at % 4 === 1 && mutant.length >= header.length) mutant.set(header);
  return mutant;
}

/** JSON reads a number such as 1e999 as an infinity, and has none to write it as: a sink would refuse the value. */
function writtenBy(codec: { encode(value: unknown): Uint8Array }, value: unknown): Uint8Array | undefined {
  try {
    return codec.encode(value);
  } catch (error) {
    if (error instanceof MillraceError && /^the number -?Infinity/.test(messageOf(error.cause))) return undefined;
    throw error;
  }
}

/** A time that is none would become `null` on its way out. */
function assertUsable(value: unknown): void {
  if (value instanceof Date && Number.isNaN(value.getTime())) throw new Error('a time that is none');
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  for (const inner of Object.values(value)) assertUsable(inner);
}

async function through(schema: Schema<unknown>, payloads: readonly Uint8Array[]) {
  const fuzzed = topology('fuzz', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    t.source('in', kafka.source({ topic: 'in', schema, eventTime: () => 0 })).to(
      'out',
      kafka.sink({ topic: 'out', schema: json<unknown>() }),
    );
  });
  const test = new TopologyTest(fuzzed);
  try {
    // The ids that a writer's registry would have given are digests, so the memory's own registry gives the same.
    test.pipeRaw('in', payloads);
    await test.run();
    return {
      values: test.output('out') as readonly unknown[],
      reasons: test.deadLetters().map(({ reason }) => reason),
    };
  } finally {
    await test.close();
  }
}
