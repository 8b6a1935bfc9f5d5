import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lines } from '../../../connectors/file/lines.js';

const cut = (text: string, sizes: readonly number[], quoted = false, bytesMax = 1_000) => {
  const lines = new Lines({ at: 0, quoted, bytesMax });
  const bytes = Buffer.from(text);
  const found: { text: string; next: number }[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    for (const { bytes: line, next } of lines.push(bytes.subarray(at, at + size))) {
      found.push({ text: Buffer.from(line).toString(), next });
    }
    at += size;
  }
  const last = lines.end();
  if (last) found.push({ text: Buffer.from(last.bytes).toString(), next: last.next });
  return found;
};

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('Lines', () => {
  it('gives the same lines whatever pieces the bytes come in', () => {
    const text = fc.array(fc.constantFrom('a', 'ü', '\n', '\r\n', 'bc', ','), { maxLength: 40 });
    fc.assert(
      fc.property(text, sizes, (parts, by) => {
        const all = parts.join('');
        const naive = all.split('\n').map((line) => line.replace(/\r$/, ''));
        const found = cut(all, by);
        expect(found.map(({ text: line }) => line)).toEqual(naive.filter((line) => line !== ''));
        for (const { text: line, next } of found) {
          const before = Buffer.from(all)
            .subarray(0, next)
            .toString()
            .replace(/\r?\n$/, '');
          expect(before.endsWith(line)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leaves rows of CSV whole where a cell has line ends and quotes', () => {
    const cell = fc.array(fc.constantFrom('x', '\n', '"', ',', '\r\n'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 12 }), sizes, (cells, by) => {
        const rows = cells.map((parts) => `1,"${parts.join('').replaceAll('"', '""')}"`);
        expect(cut(rows.map((row) => `${row}\n`).join(''), by, true).map(({ text }) => text)).toEqual(rows);
      }),
      { numRuns: 300 },
    );
  });

  it('cuts what is too long, and finds the next line behind it', () => {
    const found = cut(`${'x'.repeat(5_000)}\nshort\n`, [64], false, 100);
    expect(found.map(({ text, next }) => [text.length, next])).toEqual([
      [100, 5_001],
      [5, 5_007],
    ]);
  });
});
