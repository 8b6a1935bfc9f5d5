import type { Chance } from '../chance.js';

const numbers = [
  '0',
  '-0',
  '1',
  '-1.5',
  '1e400',
  '-1e-400',
  '9007199254740993',
  '1E+2',
  '0.1e1',
  '9'.repeat(400),
  `1e${'9'.repeat(40)}`,
];
const noNumbers = ['01', '1.', '.5', '+1', '--1', '1e', 'NaN', 'Infinity', '0x10', '1_000', '-'];
const texts = [
  '""',
  '"a"',
  '"\\u0000"',
  '"\\ud800"', // half of a pair
  '"\\udc00\\ud800"',
  '"\\ud83d\\ude00 äöü€😀"',
  '"\u2028"',
  '"2024-01-01T00:00:00Z"',
  '"9999-99-99T99:99:99Z"',
  `"${'x'.repeat(300)}"`,
];
const noTexts = ['"', '"\\u12"', '"\\x"', "'a'", '"\n"', '"\u0000"', '"\\"'];
const keys = ['id', 'name', 'at', 'children', 'a', '__proto__', 'constructor', 'toString', '', 'length'].map((key) =>
  JSON.stringify(key),
);
const RARELY = 60;

/**
 * JSON by a writer that knows the language and sometimes leaves it: brackets too deep, too many or never closed, commas and
 * words where none may be, numbers that nothing holds, halves of pairs, keys twice, and those that prototypes have.
 */
export function hostileJson(chance: Chance): Buffer {
  const { below, oneIn, pick } = chance;
  if (oneIn(200)) return bomb(chance);
  let budget = 12;

  const list = (item: () => string): string => {
    const items = Array.from({ length: budget-- > 0 ? below(4) : 0 }, item);
    const text = items.join(oneIn(RARELY) ? pick([',,', ' ', ';']) : ',');
    return oneIn(RARELY) ? `${text},` : text;
  };
  const blank = () => (oneIn(10) ? pick([' ', '\n', '\t\r', '\u00a0', '/* */']) : '');
  const key = () => (oneIn(RARELY) ? pick(['a', '1', 'null', "'a'"]) : pick(keys));
  const close = (bracket: string) => (oneIn(RARELY * 2) ? pick(['', ']', '}']) : bracket);

  function value(): string {
    switch (below(7)) {
      case 0:
      case 1:
        return `{${list(() => `${key()}${blank()}:${value()}`)}${close('}')}`;
      case 2:
        return `[${list(value)}${close(']')}`;
      case 3:
        return oneIn(RARELY) ? pick(noNumbers) : pick(numbers);
      case 4:
      case 5:
        return oneIn(RARELY) ? pick(noTexts) : pick(texts);
      default:
        return oneIn(RARELY) ? pick(['nul', 'True', 'undefined']) : pick(['null', 'true', 'false']);
    }
  }
  // Mostly an object at the top, as events are.
  const fields = () => `"id":${oneIn(3) ? value() : below(100)}${oneIn(2) ? `,${pick(keys)}:${value()}` : ''}`;
  return Buffer.from(`${blank()}${oneIn(4) ? value() : `{${fields()}}`}${blank()}${oneIn(RARELY) ? value() : ''}`);
}

/** Brackets by the thousand, in an object, an array or a text, closed or not; or very many keys. */
function bomb({ below, pick, oneIn }: Chance): Buffer {
  const depth = pick([200, 256, 257, 1_000, 20_000]);
  const [open, close] = pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"children":[', ']}'],
    ['[{"id":1},', ']'],
  ]);
  if (oneIn(5)) return Buffer.from(JSON.stringify({ id: 1, name: '['.repeat(depth) }));
  if (oneIn(5)) return Buffer.from(`{${Array.from({ length: 1_000 }, (_, n) => `"k${n % 500}":${n}`).join()}}`);
  return Buffer.from(`${open.repeat(depth)}${pick(['1', '{}', ''])}${oneIn(2) ? close.repeat(depth - below(2)) : ''}`);
}
