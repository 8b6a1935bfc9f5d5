import { describe, expect, it } from 'vitest';
import { diffOf, draw, faultsIn, withFault } from './draw.js';
import { explanationOf } from './explained.js';

const text = `
export function late(ms: number, watermarkMs: number): boolean {
  if (ms < watermarkMs && !known) count.add(1);
  throw new Error(\`\${ms - watermarkMs} ms late\`);
  return ms > 0 ? true : watermarkMs === 7;
}
`;
const faults = faultsIn('late.ts', text);
const faultyLines = faults.map((fault) => withFault(text, fault).split('\n')[fault.line - 1]?.trim());

describe('mutants', () => {
  it('are small faults of the code', () => {
    expect(faultyLines).toEqual(
      expect.arrayContaining([
        'if (ms <= watermarkMs && !known) count.add(1);',
        'if (ms < watermarkMs || !known) count.add(1);',
        'if (ms < watermarkMs && known) count.add(1);',
        'if (ms < watermarkMs && !known) ;',
        'if (ms < watermarkMs && !known) count.add((2));',
        'if (false) count.add(1);',
        'return undefined as never;',
        'return ms > 0 ? false : watermarkMs === 7;',
        'return ms > 0 ? true : watermarkMs !== 7;',
      ]),
    );
  });

  it('leave what returns nothing alone', () => {
    expect(faultsIn('none.ts', 'export const none = () => {\n  return undefined;\n};\n')).toEqual([]);
  });

  it('that drop a negation keep the parentheses behind it', () => {
    const negated = 'export const none = (a: boolean, b: boolean) => !(a && b);';
    const texts = faultsIn('none.ts', negated).map((fault) => withFault(negated, fault));
    expect(texts).toContain('export const none = (a: boolean, b: boolean) => (a && b);');
  });

  it('of bounds that are not promised to within one may survive, and no others', () => {
    const explained = (line: string) =>
      faultsIn('bounds.ts', line).map((fault) => explanationOf(fault, line) !== undefined);
    for (const line of [
      'const WAIT_MS = 250;',
      'const { timeoutMs = 60_000 } = options;',
      'const PIECE_BYTES_MAX = 1_024;',
    ])
      expect(explained(line)).toEqual([true, true]);
    for (const line of ['const WAIT_MS = 99;', 'const LZ4 = 0x184d2204;', 'if (bytes > 1_024) {}', 'const rows = 300;'])
      expect(explained(line)).not.toContain(true);
  });

  it('change neither types nor messages', () => {
    for (const line of [2, 4]) expect(faults.filter((fault) => fault.line === line)).toEqual([]);
  });

  it('are drawn by the seed, one of a line', () => {
    const drawn = draw(faults, 5, 100);
    expect(drawn).toEqual(draw(faults, 5, 100));
    expect(drawn.map(({ line }) => line).sort()).toEqual([3, 5]);
  });

  it('are shown as a diff', () => {
    const fault = faults.find(({ from }) => from === '<') as (typeof faults)[number];
    expect(diffOf(text, fault)).toBe(
      '-  if (ms < watermarkMs && !known) count.add(1);\n+  if (ms <= watermarkMs && !known) count.add(1);',
    );
  });
});
