import { describe, expect, it } from 'vitest';
import { reportHtml } from '../../../examples/flights/report-html.js';
import { sampleReport } from './sample-report.js';

const page = reportHtml(sampleReport);
const charts = page.match(/<svg.*?<\/svg>/gs) ?? [];

describe('reportHtml', () => {
  it('fetches nothing and runs nothing', () => {
    expect(page).not.toMatch(/https?:|\/\/[a-z]|<script|<link|<img|<iframe|@import|url\(|\son\w+=/i);
  });

  it('closes every element that it opens', () => {
    const open: string[] = [];
    for (const [, slash, name = '', empty] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
      if (empty || ['meta', 'br'].includes(name)) continue;
      if (slash) expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });

  it('draws no coordinate that is not a number', () => {
    expect(charts).toHaveLength(4);
    expect(charts.join('')).not.toMatch(/NaN|Infinity|undefined|null/);
  });

  it('tells every chart to those who do not see it', () => {
    for (const chart of charts) expect(chart).toMatch(/role="img" aria-label="[^"]{20,}"/);
    expect(page).toContain('<html lang="en">');
    expect(page.match(/<th(?![^>]*scope=)[ >]/g)).toBeNull();
  });

  it('escapes what comes from the data', () => {
    expect(page).toContain('&#60;b&#62;&#38;');
    expect(page).not.toContain('<b>');
  });

  it('shows the ONNX model only from the day on which it is judged', () => {
    const told = [...(charts[0]?.matchAll(/<title>(\d+ Jan), ONNX/g) ?? [])].map(([, day]) => day);
    expect(told[0]).toBe('15 Jan');
    expect(told).toHaveLength(17);
  });

  it('draws no point for a day that is cut off', () => {
    const [first, ...others] = sampleReport.byDay;
    const cut = first ? [{ ...first, rows: 5_000 }, ...others] : [];
    expect(charts[0]).toContain('<title>1 Jan, online: 0.742</title>');
    expect(reportHtml({ ...sampleReport, byDay: cut })).not.toContain('<title>1 Jan, ');
  });

  it('leaves out an hour of a few flights', () => {
    expect(charts[3]).toContain('12:00, 250,000 flights: really 10.0 %, predicted 12.0 %');
    expect(charts[3]).not.toContain('9:00, 30 flights');
  });

  it('marks the best model of a row', () => {
    expect(page).toMatch(/>ORD<\/th>\s*<td>27,242<\/td><td>21.0 %<\/td><td class="best">0.742<\/td><td>0.611<\/td>/);
  });

  it('says at the top and in the table when a kind was not caught', () => {
    expect(page).toContain('all accounted for');
    const lost = reportHtml({
      ...sampleReport,
      putIn: sampleReport.putIn.map((line) => ({ ...line, caught: line.reason === 'stale' ? 3 : line.caught })),
      everythingCaught: false,
    });
    expect(lost).toContain('something is missing');
    expect(lost).toContain('not as expected');
    expect(lost.match(/mark bad">differs/g)).toHaveLength(1);
  });

  it('holds together when nothing was labelled yet', () => {
    const empty = reportHtml({ ...sampleReport, byDay: [], byHour: [], byWeek: [], byOrigin: [], calibration: [] });
    expect(empty).toContain('no flight has both a prediction and a label yet');
    expect(empty).not.toMatch(/NaN|Infinity|undefined/);
  });
});
