import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayChart } from '../../../examples/flights/charts.js';
import { escaped, linear, path, spread, ticks } from '../../../examples/flights/svg.js';

describe('ticks', () => {
  it('covers the range with a few round numbers', () => {
    expect(ticks(0.52, 0.79, 4)).toEqual([0.5, 0.6, 0.7, 0.8]);
    expect(ticks(0, 7, 5)).toEqual([0, 2, 4, 6, 8]);
    expect(ticks(3, 3, 4).length).toBeGreaterThan(1);
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.double({ min: 0.001, max: 50, noNaN: true }),
        (min, span) => {
          const marks = ticks(min, min + span, 4);
          expect(marks[0]).toBeLessThanOrEqual(min + span * 1e-6);
          expect(marks.at(-1)).toBeGreaterThanOrEqual((min + span) * (1 - Math.sign(min + span) * 1e-6) - span * 1e-6);
          expect(marks.length).toBeLessThanOrEqual(7);
        },
      ),
    );
  });
});

describe('spread', () => {
  it('keeps the order and the distance, and moves nothing that has room', () => {
    expect(spread([100, 20, 50], 16)).toEqual([100, 20, 50]);
    expect(spread([50, 49, 50], 16)).toEqual([65, 49, 81]);
  });
});

describe('drawing', () => {
  it('lifts the pen where a value is missing', () => {
    expect(
      path(
        [
          [0, 1],
          [1, 2],
          [2, null],
          [3, 4.04],
        ],
        'late',
      ),
    ).toBe('<path class="line late" d="M0 1L1 2M3 4"/>');
  });

  it('maps a range of one value without dividing by zero', () => {
    expect(linear([5, 5], [10, 20])(5)).toBe(10);
  });

  it('escapes everything that could end a text or an attribute', () => {
    expect(escaped(`<a href="x" id='y'>&`)).toBe('&#60;a href=&#34;x&#34; id=&#39;y&#39;&#62;&#38;');
  });

  it('draws a single day, and leaves a series out that has no value', () => {
    const chart = dayChart(
      'AUC',
      'AUC',
      ['2001-01-01'],
      [
        { name: 'online', colour: 'late', values: [0.7] },
        { name: 'ONNX', colour: 'risk', values: [null] },
      ],
    );
    expect(chart).not.toMatch(/NaN|Infinity/);
    expect(chart).toContain('>online</text>');
    expect(chart).not.toContain('ONNX');
  });
});
