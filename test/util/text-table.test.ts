import { describe, expect, it } from 'vitest';
import { textTable } from '../../src/util/text-table.js';

describe('textTable', () => {
  it('aligns words left and numbers right', () => {
    const rows = [
      { origin: 'ATL', flights: 1_234, late: null },
      { origin: 'O', flights: 5, late: 0.25 },
    ];
    expect(textTable(rows)).toBe(
      ['origin  flights  late', '------  -------  ----', 'ATL        1234  null', 'O             5  0.25', ''].join(
        '\n',
      ),
    );
  });

  it('shows structures as JSON, and says when there is nothing', () => {
    expect(textTable([{ bins: [1, 2] }])).toBe('bins\n-----\n[1,2]\n');
    expect(textTable([])).toBe('no rows\n');
  });
});
