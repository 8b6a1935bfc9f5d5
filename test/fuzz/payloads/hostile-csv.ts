import type { Chance } from '../chance.js';

const cells = [
  'a',
  '',
  '""',
  '"a,b"',
  '"a\nb"',
  '"a""b"',
  '1.5',
  '-0',
  '1e400',
  '1e-400',
  'Infinity',
  '0x10',
  ' 1',
  '--1',
  '9007199254740993',
  '9'.repeat(1_001),
  'true',
  'TRUE',
  '1970-01-01T00:00:00Z',
  '2024-02-30',
  '+275760-09-13',
  '2024-01-01T00:00:00+99:99',
  'äöü€😀',
  '\u0000',
  '=1+1',
];
const broken = ['"', '"a', 'a"b', '"a"b', '\r', 'a\nb'];

/** Rows of five cells, sometimes more or fewer, of texts that are nearly what a column wants. */
export function hostileCsv({ pick, oneIn, below }: Chance): Buffer {
  const good = ['x y', '1.5', '1970-01-01T00:00:00.000Z', '-5', 'true'];
  const count = oneIn(20) ? pick([0, 1, 4, 6, 5_000]) : 5;
  const row = Array.from({ length: count }, (_, at) => {
    if (oneIn(30)) return pick(broken);
    return oneIn(4) ? pick(cells) : (good[at % 5] as string);
  });
  const bytes = Buffer.from(row.join(oneIn(50) ? pick([';', '\t', ',,']) : ',') + pick(['', '', '\n', '\r\n', '\r']));
  if (oneIn(30) && bytes.length > 0) bytes[below(bytes.length)] = 0xff;
  return bytes;
}
