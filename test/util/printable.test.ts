import { describe, expect, it } from 'vitest';
import { printable, printableLine } from '../../src/util/printable.js';
import { textTable } from '../../src/util/text-table.js';

const hostile = 'a\u001b]0;title\u0007\u009b2J\u007f\r\u202egnp.exe\u0000b';

describe('printable', () => {
  it('escapes what a terminal would obey', () => {
    expect(printable(hostile)).toBe('a\\u001b]0;title\\u0007\\u009b2J\\u007f\\u000d\\u202egnp.exe\\u0000b');
  });

  it('leaves lines, tabs and every script as they are', () => {
    const text = 'Zürich\t東京\n🙂 שלום \u200f';
    expect(printable(text)).toBe(text);
  });

  it('keeps the value of JSON', () => {
    const value = { text: hostile };
    expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
  });

  it('keeps a value on its line, in tables too', () => {
    expect(printableLine('a\nb\tc')).toBe('a\\nb\\tc');
    expect(textTable([{ text: 'a\nroot  0' }])).toBe('text\n----------\na\\nroot  0\n');
    expect(textTable([{ 'c\u001b[2J': 'x' }])).not.toContain('\u001b');
  });
});
