import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { redis } from '../../connectors/redis/index.js';
import { count } from '../../src/aggregates/index.js';
import { hours, MillraceError, millis, minutes, type Operator, type Problem } from '../../src/core/index.js';
import { oncePerMistake } from '../../src/core/options.js';
import { adwin, featureView, halfSpaceTrees, kMeans, logisticRegression, numeric, sgd } from '../../src/ml.js';
import * as operators from '../../src/operators/index.js';
import { optionKinds } from '../../src/operators/option-kinds.js';
import { tumbling } from '../../src/operators/window/spec.js';
import { json } from '../../src/schema/index.js';
import { check, topology } from '../../src/topology/index.js';

interface Row {
  readonly id: string;
  readonly text: string;
  readonly size: number;
}
const key = ({ id }: Row) => id;
const from = ({ text }: Row) => text;
const view = featureView({
  name: 'rows',
  version: 1,
  columns: { size: (row: Row) => row.size },
  features: { size: numeric('size') },
});
const label = { key, value: ({ size }: Row) => size > 1 };
const learning = { as: 'y', view, key, label: { ...label, wait: hours(1) }, pendingMax: 10 };
const join = {
  keys: { left: key, right: key },
  within: { before: millis(0), after: millis(1) },
  combine: from,
  entriesMax: 10,
};
const windows = { key, window: tumbling(hours(1)), aggregate: { rows: count() }, keysMax: 10 };
const ofTable = { key, combine: from, keysMax: 10, pendingMax: 10 };
const linear = logisticRegression({ optimizer: sgd({ rate: 0.1 }) });

/** What each operator is given before its options, and options with which it has no problems. */
const right: Readonly<Record<string, readonly unknown[]>> = {
  dedupe: [{ key, retention: hours(1), keysMax: 10 }],
  detectInactivity: [{ key, inactivityTimeout: minutes(1), keysMax: 10 }],
  lookup: [{ from: redis.stringLookup(), key, as: 'found', batchMax: 10, cache: { entriesMax: 10, ttl: minutes(1) } }],
  throttle: [{ key, records: 10, per: minutes(1), keysMax: 10 }],
  decodeImage: [{ from, as: 'pixels', width: 8, height: 8 }],
  innerJoin: [join],
  leftJoin: [join],
  outerJoin: [join],
  joinTable: [ofTable],
  leftJoinTable: [ofTable],
  innerJoinTables: [{ keysMax: 10, combine: from }],
  leftJoinTables: [{ keysMax: 10, combine: from }],
  outerJoinTables: [{ keysMax: 10, combine: from }],
  assignCluster: [kMeans({ clusters: 2 }), { as: 'cluster', view }],
  compareDistributions: [{ features: {}, every: hours(1), reference: { last: hours(24) } }],
  detectAnomalies: [halfSpaceTrees(), { as: 'anomaly', view }],
  detectDrift: [{ of: ({ size }: Row) => size, detector: adwin(), key, keysMax: 10 }],
  estimatePerformance: [
    { prediction: { key, value: ({ size }: Row) => size }, label, wait: hours(1), every: hours(1), pendingMax: 10 },
  ],
  evaluate: [
    {
      prediction: { key, value: ({ size }: Row) => size },
      label,
      wait: hours(1),
      metrics: {},
      every: hours(1),
      pendingMax: 10,
    },
  ],
  infer: [
    {
      model: 'a.onnx',
      as: 'y',
      batchMax: 1,
      waitMax: millis(1),
      providers: ['cpu'],
      cascade: { model: 'b.onnx', below: 0.2, above: 0.8 },
      fallback: [{ providers: ['cpu'] }],
    },
  ],
  learn: [linear, { ...learning, drift: { detector: adwin(), act: 'event' } }],
  selectBySuccessiveHalving: [
    { a: linear, b: linear },
    { ...learning, rungLabels: 10 },
  ],
  match: [
    {
      key,
      pattern: operators.startsWith('first', () => true),
      within: hours(1),
      select: from,
      runsMax: 10,
      pendingMax: 10,
    },
  ],
  clip: [{}, { mark: 'clipped' }],
  quarantine: [{}],
  validateWindows: [{ window: tumbling(hours(1)), expect: operators.windowExpectations<Row>(), key, keysMax: 10 }],
  sample: [{ key, rate: 0.5 }],
  sampleWindows: [{ window: tumbling(hours(1)), size: 5, key }],
  stratify: [{ stratum: key, key, rates: { a: 1 }, quota: { records: 5, every: hours(1) }, strataMax: 10 }],
  undersample: [{ class: key, shares: { a: 1 }, key, as: 'weight' }],
  table: [{ keysMax: 10 }],
  cleanText: [{ html: 'strip' }],
  detectLanguage: [{ from, as: 'language' }],
  encodeTokens: [{ from, as: 'tokens', tokenizer: 'tokenizer.json', lengths: [8] }],
  maskPii: [{ fields: ['text'], find: { email: 'redact' } }],
  splitWords: [{ from, as: 'words', wordsMax: 10 }],
  window: [windows],
  windowOfChanges: [{ ...windows, eventTime: ({ size }: Row) => size }],
};

type Make = (...given: readonly unknown[]) => Pick<Operator<never, unknown>, 'problems' | 'settings'>;

const all: Readonly<Record<string, unknown>> = operators;

/** An operator that is given further options. */
function madeWith(name: string, added: object) {
  const given = right[name] ?? [];
  const options = { ...(given.at(-1) as object), ...added };
  const last = name === 'cleanText' ? { text: options } : options;
  const make = all[name] as Make;
  return make(...given.slice(0, -1), last);
}

/** What is said of it: its problems, or the first one, which it is refused for. */
function saidOf(name: string, added: object): readonly Problem[] {
  try {
    return oncePerMistake(madeWith(name, added).problems ?? []);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    expect(error.code).toBe('config');
    expect(error.message).toMatch(`${name}: `);
    return [{ message: error.message.slice(`${name}: `.length), hint: error.hint ?? '' }];
  }
}

const problemsWith = (name: string, added: object) =>
  saidOf(name, added).filter(({ message }) => message.startsWith('there is no'));

/** Each option that takes an object of options, and one of those. */
const objectsOfOptions = Object.entries(optionKinds).flatMap(([name, names]) => {
  const known = new Map(Object.keys(names).flatMap((each) => inside(each)));
  return [...known].map(([path, option]) => [name, path, option] as const);
});

function inside(name: string): [path: string, option: string][] {
  const at = name.lastIndexOf('.');
  return at < 0 ? [] : [[name.slice(0, at), name.slice(at + 1)]];
}

/** Options of which an object, at a path in them, has further ones. */
function withInside(options: unknown, [first, ...rest]: readonly string[], added: object): object {
  if (first === undefined) return { ...Object(options), ...added };
  const name = first.replace('[]', '');
  const part = Object(options)[name];
  const changed = first === name ? withInside(part, rest, added) : [withInside(part?.[0], rest, added)];
  return { ...Object(options), [name]: changed };
}

/** The operator with an option, at a path in others, that has this value. */
function saidWith(name: string, path: string, value: unknown) {
  const parts = path.split('.');
  const last = parts.pop() as string;
  return saidOf(name, withInside(right[name]?.at(-1), parts, { [last]: value }));
}

describe('misspelt options', () => {
  it.each(Object.entries(optionKinds))('of %s are refused by name', (name, names) => {
    expect(problemsWith(name, {})).toEqual([]);
    const [known = ''] = Object.keys(names)
      .filter((each) => !each.includes('.'))
      .slice(-1);
    const misspelt = `${known.slice(0, -1)}_`;
    const [problem, ...others] = problemsWith(name, { [misspelt]: 1 });
    expect(others).toEqual([]);
    expect(problem?.message).toBe(`there is no option ${misspelt}`);
    expect(problem?.hint).toMatch(new RegExp(`^did you mean \\w+\\? there are: .*\\b${known}\\b`));
  });

  it.each(objectsOfOptions)('in %s: %s are refused by name', (name, path, known) => {
    const misspelt = `${known.slice(0, -1)}_`;
    const options = withInside(right[name]?.at(-1), path.split('.'), { [misspelt]: 1 });
    const [problem, ...others] = problemsWith(name, options);
    expect(others).toEqual([]);
    expect(problem?.message).toBe(`there is no option ${path}.${misspelt}`);
    expect(problem?.hint).toMatch(new RegExp(`^did you mean \\w+\\? there are: .*\\b${known}\\b`));
  });

  it.each(Object.entries(right))('of %s stand for the one which was meant', (name, given) => {
    for (const [known, value] of Object.entries(Object(given.at(-1)))) {
      const said = saidOf(name, { [known]: undefined, [`${known}_`]: value });
      const hint = expect.stringMatching(`^did you mean ${known}\\? `);
      expect(said).toContainEqual(expect.objectContaining({ message: `there is no option ${known}_`, hint }));
      const missing = said.filter(
        ({ message }) => /^(the )?(\w+) is (missing|undefined)$/.exec(message)?.[2] === known,
      );
      expect(missing).toEqual([]);
    }
  });

  it('stand for it also in objects of options', () => {
    const said = saidOf('lookup', { cache: { entriesMx: 10, ttl: minutes(1) } });
    expect(said.map(({ message }) => message)).toEqual(['there is no option cache.entriesMx']);
    for (const known of Object.keys(optionKinds.learn ?? {})) {
      const path = known.split('.');
      const last = path.pop() as string;
      const misspelt = `${last}_`;
      const [problem] = saidOf('learn', withInside(right.learn?.at(-1), path, { [last]: undefined, [misspelt]: 1 }));
      expect(problem?.message).toBe(`there is no option ${[...path, misspelt].join('.')}`);
      expect(problem?.hint).toMatch(`did you mean ${last}? `);
    }
  });

  const checkedWith = (added: object) => {
    const options = { key, retention: hours(1), keysMax: 10, ...added };
    const flow = topology('flow', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
      t.source('rows', kafka.source({ topic: 'rows', schema: json<Row>() }))
        .via('once', operators.dedupe(options))
        .to('out', kafka.sink({ topic: 'out', schema: json() }));
    });
    return check(flow);
  };

  it('are problems of `check`', () => {
    expect(checkedWith({ ttll: hours(2) })).toEqual([
      { where: 'once', message: 'there is no option ttll', hint: 'there are: key, retention, keysMax' },
    ]);
  });

  it('hide in `check` that the one which was meant is missing, and no other', () => {
    expect(checkedWith({ key: undefined, keysMax: undefined, keysMx: 5 })).toEqual([
      {
        where: 'once',
        message: 'there is no option keysMx',
        hint: 'did you mean keysMax? there are: key, retention, keysMax',
      },
      { where: 'once', message: 'key is missing', hint: expect.any(String) },
    ]);
  });
});

/** Values that are not of a kind. */
const others: Readonly<Record<string, readonly unknown[]>> = {
  boolean: [7, 'abc', null, {}],
  function: [7, 'abc', null, {}],
  list: [7, 'abc', null, {}],
  object: [7, 'abc', null, []],
  text: [7, null, {}, () => 'a'],
};

it('a text in the place of something else may be a secret, and is not shown', () => {
  for (const [name, given] of Object.entries(right))
    for (const option of Object.keys(Object(given.at(-1)))) {
      if (/^(text|number|any)/.test(optionKinds[name]?.[option] ?? 'any')) continue;
      expect(JSON.stringify(saidOf(name, { [option]: 'redis://:hunter2@host' }))).not.toContain('hunter2');
    }
});

const othersThan = (kind: string) => others[/^[A-Z]/.test(kind) ? 'object' : kind.replace('?', '')];

describe('options that JavaScript may give', () => {
  const ofKinds = Object.entries(optionKinds).flatMap(([name, kinds]) =>
    Object.entries(kinds).map(([path, kind]) => [name, path, kind] as const),
  );

  it.each(ofKinds.filter(([, , kind]) => !/^number$|\?$/.test(kind)))(
    'of %s without %s are refused by name',
    (name, path) => {
      expect(saidWith(name, path, undefined)[0]).toEqual({ message: `${path} is missing`, hint: expect.any(String) });
    },
  );

  it.each(ofKinds.filter(([, , kind]) => kind === 'number'))(
    'of %s without the number %s are refused',
    (name, path) => {
      expect(saidWith(name, path, undefined)).not.toEqual([]);
    },
  );

  it.each([
    ['late', { within: hours(1), act: 'score' }],
    ['corrections', { within: hours(1), learn: true }],
  ])('of labels with %s, and not within what time, are refused', (policy, whole) => {
    expect(saidWith('selectBySuccessiveHalving', `label.${policy}`, whole)).toEqual([]);
    expect(saidWith('selectBySuccessiveHalving', `label.${policy}`, { ...whole, within: undefined })).toEqual([
      { message: `label.${policy}.within is missing`, hint: 'give it a positive duration, such as days(7)' },
    ]);
  });

  it.each(ofKinds.filter(([, , kind]) => othersThan(kind)))(
    'of %s with another %s than a %s are refused by name',
    (name, path, kind) => {
      for (const value of othersThan(kind) ?? [])
        expect(saidWith(name, path, value).map(({ message }) => message)).toContainEqual(
          expect.stringMatching(`^${path.replace('[]', '\\[\\]')} is `),
        );
    },
  );
});

/** Bounds and durations that `right` leaves out. */
const optional: Readonly<Record<string, string>> = {
  detectInactivity: 'processingTimeInterval',
  lookup: 'waitMax concurrencyMax perSecondMax timeout attemptsMax cache.entriesMax cache.ttl cache.missingTtl',
  throttle: 'burst',
  decodeImage: 'bytesMax pixelsMax concurrencyMax inFlightMax',
  innerJoin: 'allowedLateness',
  joinTable: 'allowedLateness',
  assignCluster: 'metricsInterval versionEveryRecords',
  compareDistributions: 'slicesMax rowsMin',
  estimatePerformance: 'threshold distrustLabels',
  evaluate: 'correctable slicesMax versionsMax',
  infer: 'cacheBytesMax deadline lagMax weight queueMax',
  learn: 'label.wait versionEveryLabels drift.compareLabels',
  match: 'runsPerKeyMax',
  quarantine: 'keysMax',
  sampleWindows: 'groupsMax',
  stratify: 'otherwise quota.records quota.every',
  cleanText: 'charsMax',
  detectLanguage: 'charsMax',
  encodeTokens: 'charsMax',
  maskPii: 'findingsMax',
  window: 'allowedLateness',
};
/** The least that each takes; 1 where nothing is said. */
const least: Readonly<Record<string, number>> = {
  ...{ waitMax: 0, allowedLateness: 0, 'cache.missingTtl': 0, rate: 0, otherwise: 0, threshold: 0 },
};

describe('bounds and durations', () => {
  const bounds = Object.entries(right).flatMap(([name, given]) => [
    ...Object.entries(Object(given.at(-1))).flatMap(([option, value]) =>
      typeof value === 'number' ? [[name, option] as const] : [],
    ),
    ...(optional[name]?.split(' ') ?? []).map((path) => [name, path] as const),
  ]);

  it.each(bounds)(
    'of %s: %s is the least that it takes, and none that is lower, negative or no number',
    (name, path) => {
      const above = path.split('.');
      const option = above.pop() as string;
      const messages = (added: object) =>
        saidOf(name, withInside(right[name]?.at(-1), above, added)).map(({ message }) => message);
      const before = new Set(messages({}));
      const added = (value: number) =>
        messages({ [option]: value })
          .filter((message) => !before.has(message))
          .join();
      const lowest = least[path] ?? 1;
      expect(added(lowest)).toBe('');
      for (const wrong of [lowest - 1, -1, Number.NaN]) expect(added(wrong)).toContain(option);
    },
  );
});

it.each(Object.keys(right))('settings of %s are texts, numbers and booleans', (name) => {
  const kinds = new Set(Object.values(madeWith(name, {}).settings).map((value) => typeof value));
  expect(['string', 'number', 'boolean']).toEqual(expect.arrayContaining([...kinds]));
});
