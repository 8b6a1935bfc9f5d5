import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { json, type Sink, seconds, topology } from '../../../src/index.js';
import { detectInactivity, type Presence } from '../../../src/operators/index.js';
import { DrivenStep } from '../../../src/testing/drive-operator.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';
import { TopologyTest } from '../../../src/testing.js';

interface Reading {
  readonly device: string;
  readonly atMs: number;
}
const SILENT_MS = 10;
const operator = (keysMax = 9) =>
  detectInactivity({ key: (r: Reading) => r.device, inactivityTimeout: seconds(SILENT_MS / 1_000), keysMax });

type Step = { readonly device: string; readonly atMs: number } | { readonly clockMs: number };
/** Records and ticks in any order; the clock only rises, and jumps now and then. */
const stories = fc
  .array(fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(30))), {
    maxLength: 25,
  })
  .map((steps) => {
    let clockMs = 1_000;
    return steps.map((step, atMs): Step => {
      if (typeof step === 'string') return { device: step, atMs };
      clockMs += step;
      return { clockMs };
    });
  });
const samplesOf = (story: readonly Step[]): DrivenInput[] =>
  story.map((step) =>
    'clockMs' in step ? { value: undefined, clockMs: step.clockMs } : { value: step, eventTimeMs: step.atMs },
  );

/** The definition: a key is gone at the first tick that is `SILENT_MS` after the first tick after its last record. */
function naive(story: readonly Step[]): Presence<string>[] {
  const told: Presence<string>[] = [];
  const present = new Map<string, { lastMs: number; heardMs: number | undefined }>();
  for (const step of story) {
    if ('device' in step) {
      if (!present.has(step.device)) told.push({ key: step.device, present: true, lastMs: step.atMs });
      present.set(step.device, { lastMs: step.atMs, heardMs: undefined });
      continue;
    }
    for (const of of present.values()) of.heardMs ??= step.clockMs;
    const gone = [...present].filter(([, { heardMs = 0 }]) => step.clockMs - heardMs >= SILENT_MS);
    gone.sort(([a, x], [b, y]) => (x.heardMs ?? 0) - (y.heardMs ?? 0) || (a < b ? -1 : 1));
    for (const [key, { lastMs }] of gone) {
      told.push({ key, present: false, lastMs });
      present.delete(key);
    }
  }
  return told;
}

describe('detectInactivity', () => {
  it('answers when a key was last heard of, also where keys are numbers', () => {
    const step = new DrivenStep(operator());
    const numbered = new DrivenStep(
      detectInactivity({ key: (r: { readonly id: number }) => r.id, inactivityTimeout: seconds(1), keysMax: 9 }),
    );
    step.push({ value: { device: 'a', atMs: 5 }, eventTimeMs: 5 });
    expect(step.query('a')).toEqual({ lastMs: 5, heardMs: null }); // until processing time goes on
    step.push({ value: undefined, clockMs: 1_000 });
    expect(step.query('a')).toEqual({ lastMs: 5, heardMs: 1_000 });
    expect(step.query('b')).toBeUndefined();
    numbered.push({ value: { id: 7 }, eventTimeMs: 5 });
    expect(numbered.query('7')).toEqual({ lastMs: 5, heardMs: null });
  });

  it('says by its definition who comes and who is gone', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { emitted, failure } = driveOperator(operator(), samplesOf(story));
        expect(failure).toBeUndefined();
        expect(emitted.map(({ value }) => value)).toEqual(naive(story));
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps the operator contract, ticks among the records', () => {
    fc.assert(
      fc.property(stories, (story) => checkOperator(operator(), samplesOf(story).slice(0, 14))),
      { numRuns: 60 },
    );
  });

  it('keeps no key that is gone, and not more than it may', () => {
    const story = Array.from(
      { length: 60 },
      (_, n): Step => (n % 3 === 2 ? { clockMs: n * 20 } : { device: `d${n}`, atMs: n }),
    );
    checkOperator(operator(), samplesOf(story), { stateBytesMax: 700 });
    const { deadLetters } = driveOperator(operator(1), samplesOf([...story.slice(0, 2), { device: '', atMs: 3 }]));
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['too-many-keys', 'empty-key']);
  });

  it('names what is wrong with its options', () => {
    const wrong = detectInactivity({
      key: String,
      inactivityTimeout: seconds(0),
      processingTimeInterval: seconds(-1),
      keysMax: 0,
    });
    expect(wrong.problems?.map(({ message }) => message)).toEqual([
      'inactivityTimeout is 0 ms',
      'processingTimeInterval is -1000 ms',
      'keysMax is 0',
    ]);
  });
});

describe('processing time in a topology', () => {
  const devices = topology('devices', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    t.source('readings', kafka.source({ topic: 'readings', schema: json<Reading>(), eventTime: (r) => r.atMs }))
      .via('presence', detectInactivity({ key: (r) => r.device, inactivityTimeout: seconds(60), keysMax: 10 }))
      .to('out', kafka.sink({ topic: 'presence', schema: json() }) as Sink<Presence<string>>);
  });

  it('is told at the end of each run, and goes on from one run to the next', async () => {
    const test = new TopologyTest(devices);
    await test.pipe('readings', [
      { device: 'a', atMs: 5 },
      { device: 'b', atMs: 6 },
    ]);
    await test.run();
    test.clock.advance(40_000);
    await test.pipe('readings', [{ device: 'b', atMs: 40_000 }]);
    await test.run();
    test.clock.advance(20_000);
    await test.run();
    test.clock.advance(40_000);
    await test.run();
    await test.run(); // no time has passed
    expect(test.output('out')).toEqual([
      { key: 'a', present: true, lastMs: 5 },
      { key: 'b', present: true, lastMs: 6 },
      { key: 'a', present: false, lastMs: 5 },
      { key: 'b', present: false, lastMs: 40_000 },
    ]);
    expect(test.counter('presence', 'in')).toBe(3);
    await test.close();
  });
});
