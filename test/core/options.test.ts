import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Duration, seconds } from '../../src/core/duration.js';
import * as is from '../../src/core/option-types.js';
import {
  defaulted,
  type OptionsOf,
  optional,
  problemsOf,
  required,
  resolve,
  settingsOf,
} from '../../src/core/options.js';

const beacon = {
  options: {
    hill: required(is.text, 'Where it stands.'),
    key: required(is.callback<(value: never) => string>('(value) => string'), 'Which beacon.'),
    every: defaulted(is.duration, seconds(5), 'How often.'),
    colour: optional(is.oneOf('red', 'green'), 'Of the flame.'),
    torchesMax: defaulted(is.integer(1, 9), 3, 'At the same time.'),
  },
} as const;

interface BeaconOptions<T> extends OptionsOf<typeof beacon.options> {
  readonly key: (value: T) => string;
}

const given: BeaconOptions<{ name: string }> = { hill: 'Amon Din', key: ({ name }) => name };
// What comes from JavaScript.
const problemsWith = (options: object) => problemsOf(beacon, options).map(({ message, hint }) => `${message}: ${hint}`);

describe('options of a kind', () => {
  it('have the types that their specs say', () => {
    expectTypeOf<BeaconOptions<1>['hill']>().toEqualTypeOf<string>();
    expectTypeOf<BeaconOptions<1>['every']>().toEqualTypeOf<Duration | undefined>();
    expectTypeOf<BeaconOptions<1>['colour']>().toEqualTypeOf<'red' | 'green' | undefined>();
    expectTypeOf<BeaconOptions<{ a: 1 }>['key']>().parameter(0).toEqualTypeOf<{ a: 1 }>();
    const { every, colour } = resolve(beacon, given);
    expectTypeOf(every).toEqualTypeOf<Duration>();
    expectTypeOf(colour).toEqualTypeOf<'red' | 'green' | undefined>();
    // @ts-expect-error a default must be of the option's type
    defaulted(is.integer(1), 'three', '');
  });

  it('have their defaults where they are left out', () => {
    expect(resolve(beacon, given)).toEqual({ ...given, every: 5_000, colour: undefined, torchesMax: 3 });
    expect(resolve(beacon, { ...given, torchesMax: 1 }).torchesMax).toBe(1);
  });

  it('say all that is wrong with them at once', () => {
    expect(problemsWith(given)).toEqual([]);
    expect(problemsWith({ key: 'name', hil: 'x', every: 0, colour: 'blue', torchesMax: 1.5 })).toEqual([
      'there is no option hil: there are: hill, key, every, colour, torchesMax',
      'hill is missing: give text: Where it stands.',
      'key is of type string: give (value) => string',
      'every is 0: give a duration, such as hours(24)',
      "colour is 'blue': give 'red' or 'green'",
      'torchesMax is 1.5: give whole number, 1 to 9',
    ]);
  });

  it('are shown where they were given, and differ from the default', () => {
    expect(settingsOf(beacon, { ...given, every: seconds(5), torchesMax: 2 })).toEqual({
      hill: 'Amon Din',
      torchesMax: 2,
    });
  });

  it.each([
    ['https://hooks.example/a?token=abc', true, 'https://hooks.example/a'],
    ['https://user:secret@hooks.example/a', false, undefined],
    ['ftp://hooks.example', false, undefined],
  ])('an address: %s', (value, accepted, shown) => {
    expect(is.url.accepts(value)).toBe(accepted);
    if (accepted) expect(is.url.show(value as never)).toBe(shown);
  });

  it('lists and objects are as good as what is in them', () => {
    expect(is.listOf(is.integer(0)).accepts([0, 1])).toBe(true);
    expect(is.listOf(is.integer(0)).accepts([0, -1])).toBe(false);
    expect(is.recordOf(is.text).accepts({ a: 'UInt8', b: '' })).toBe(false);
    expect(is.recordOf(is.text).show({ a: 'UInt8', b: 'String' } as never)).toBe('a, b');
  });
});
