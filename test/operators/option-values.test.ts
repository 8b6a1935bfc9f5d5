import { describe, expect, it } from 'vitest';
import { redis } from '../../connectors/redis/index.js';
import { count } from '../../src/aggregates/index.js';
import { type Duration, hours, minutes, type Problem } from '../../src/core/index.js';
import { adwin, featureView, logisticRegression, numeric, sgd } from '../../src/ml.js';
import * as operators from '../../src/operators/index.js';
import { onClose } from '../../src/operators/window/emit-strategy.js';
import { tumbling } from '../../src/operators/window/spec.js';

interface Row {
  readonly id: string;
  readonly text: string;
  readonly size: number;
}
const key = ({ id }: Row) => id;

/** What JavaScript and casts let through. */
const any = (value: unknown): never => value as never;

const windows = { key, window: tumbling(hours(1)), aggregate: { rows: count() }, keysMax: 10 };
const pattern = operators.startsWith('a', ({ size }: Row) => size > 0);
const matching = { key, pattern, within: minutes(1), select: () => 1, runsMax: 5, pendingMax: 5 };
const limit = { key, records: 1, per: minutes(1), keysMax: 5 };
const lookup = { from: redis.stringLookup({ decode: (text) => text }), key, as: 'found' };
const judged = { window: tumbling(minutes(1)), expect: operators.windowExpectations<Row>().volume(1, 5) };
const image = { from: () => new Uint8Array(), as: 'pixels' as const, width: 8, height: 8 };
const view = featureView({
  name: 'rows',
  version: 1,
  columns: { size: (row: Row) => row.size },
  features: { size: numeric('size') },
});
const linear = logisticRegression({ optimizer: sgd({ rate: 0.1 }) });
const label = { key, value: ({ size }: Row) => size > 1, wait: hours(1) };
const learning = { as: 'y' as const, view, key, label, pendingMax: 10 };
const late = { within: hours(2), act: 'learn' } as const;
const sampled = { window: tumbling(minutes(1)), size: 2, key };

const wrong: readonly (readonly [what: string, operator: { readonly problems?: readonly Problem[] }, says: string])[] =
  [
    ['window', operators.window({ ...windows, late: any('drop') }), "late is 'drop'"],
    ['window', operators.window({ ...windows, emit: any(onClose) }), 'emit is no strategy'],
    ['throttle', operators.throttle({ ...limit, excess: any('deadletter') }), "excess is 'deadletter'"],
    ['match', operators.match({ ...matching, skip: any('past-end') }), "skip is 'past-end'"],
    ['lookup', operators.lookup({ ...lookup, onMissing: any('ignore') }), "onMissing is 'ignore'"],
    ['lookup', operators.lookup({ ...lookup, onFailure: any('retry') }), "onFailure is 'retry'"],
    ['cleanText', operators.cleanText<Row>({ text: { form: any('NFX') } }), "form is 'NFX'"],
    [
      'maskPii',
      operators.maskPii<Row>({ fields: ['text'], find: { email: any('replaced') } }),
      "find.email is 'replaced'",
    ],
    ['validateWindows', operators.validateWindows({ ...judged, late: any('drop') }), "late is 'drop'"],
    ['repair', operators.repair(operators.repairs<Row>().case('text', any('title'))), "text: case is 'title'"],
    ['repair', operators.repair(operators.repairs<Row>().case('text', any(undefined))), "text: case is 'undefined'"],
    ['decodeImage', operators.decodeImage({ ...image, fit: any('crop') }), "fit is 'crop'"],
    ['decodeImage', operators.decodeImage({ ...image, colour: any('gray') }), "colour is 'gray'"],
    ['decodeImage', operators.decodeImage({ ...image, layout: any('NHWC') }), "layout is 'NHWC'"],
    [
      'learn',
      operators.learn(linear, { ...learning, drift: { detector: adwin(), act: any('Reset') } }),
      "drift.act is 'Reset'",
    ],
    [
      'learn',
      operators.learn(linear, { ...learning, label: { ...label, late: { ...late, act: any('drop') } } }),
      "label.late.act is 'drop'",
    ],
    [
      'learn',
      operators.learn(linear, {
        ...learning,
        label: { ...label, late, missing: { label: false, weighting: any('fake-positive') } },
      }),
      "label.missing.weighting is 'fake-positive'",
    ],
    [
      'selectBySuccessiveHalving',
      operators.selectBySuccessiveHalving(
        { a: linear, b: linear },
        { ...learning, rungLabels: 10, label: { ...label, late: { ...late, act: any('drop') } } },
      ),
      "label.late.act is 'drop'",
    ],
    [
      'validate',
      operators.validate(operators.expectations<Row>().range('size', 0, 1, any('warning'))),
      "range:size: the severity is 'warning'",
    ],
    [
      'validateWindows',
      operators.validateWindows({
        ...judged,
        expect: operators.windowExpectations<Row>().volume(1, 5, any('diverts')),
      }),
      "volume: the severity is 'diverts'",
    ],
  ];

describe('an option that is one of some texts', () => {
  it.each(wrong)('of %s is refused if it is another one', (_what, { problems }, says) => {
    expect(problems).toEqual([{ message: says, hint: expect.stringMatching(/^(choose from|call) /) }]);
  });

  it('may be left out, or be what a function makes', () => {
    expect(operators.window({ ...windows, late: 'count', emit: onClose() }).problems).toEqual([]);
    expect(operators.lookup({ ...lookup, onMissing: { use: 'x' } }).problems).toEqual([]);
    expect(operators.match({ ...matching, skip: { toFirst: 'a' as const } }).problems).toEqual([]);
  });
});

describe('a window of sampleWindows', () => {
  it.each([
    ['an offset that is no number', { offset: Number.NaN, size: minutes(1) }],
    ['a size without an end', { offset: 0, size: Number.POSITIVE_INFINITY as Duration }],
  ])('has no %s', (_what, given) => {
    const [problem] = operators.sampleWindows({ ...sampled, window: { ...sampled.window, ...given } }).problems ?? [];
    expect(problem?.message).toMatch(/^the window is /);
  });
});
