import { expect, it } from 'vitest';
import { load } from '../../../scripts/data/data-set.js';
import { sensors as data } from '../../../scripts/data/sensors.js';
import { sensorAnomalies } from '../../../topologies/sensor-anomalies.js';
import { rocAucOf } from '../roc-auc.js';
import { tablesOf } from './run.js';
import { averagePrecision, type Pair } from './scores.js';

interface Scored {
  readonly id: number;
  readonly mote: number;
  readonly humidity: number;
  readonly celsius: number;
  readonly humidityOff: number;
  readonly celsiusOff: number;
  readonly score: number;
  readonly anomalous: boolean;
}
type Scorer = (row: Scored) => number;

it('events near a mote stand out from what it measured of late more than by any simple rule', async () => {
  const { history = [], truth = [] } = await tablesOf(sensorAnomalies, await load(data));
  const events = new Set(
    (truth as { id: number; isEvent: boolean }[]).flatMap(({ id, isEvent }) => (isEvent ? [id] : [])),
  );
  const rows = history as Scored[];
  expect([rows.length, events.size]).toEqual([18_914, 149]);
  const pairs = (score: Scorer) => rows.map((row): Pair<boolean> => [score(row), events.has(row.id)]);
  const judge = (score: Scorer) => {
    const judged = pairs(score);
    return { rocAuc: rocAucOf(judged), averagePrecision: averagePrecision(judged) };
  };
  const model = judge(({ score }) => score);
  const rules = {
    'change since the last reading': judge(changes()),
    'distance from the mean of ten minutes': judge(({ humidityOff }) => Math.abs(humidityOff)),
    'the greater distance, in standard deviations of all before': judge(deviations(['humidityOff', 'celsiusOff'])),
    'distance of humidity from the mean so far': judge(deviations(['humidity'])),
  };
  const marked = rows.filter(({ anomalous }) => anomalous);
  const found = marked.filter(({ id }) => events.has(id));
  console.log(model, rules, `${marked.length} marked, ${found.length} of them events`);
  const best = (name: 'rocAuc' | 'averagePrecision') => Math.max(...Object.values(rules).map((rule) => rule[name]));
  expect(model.averagePrecision).toBeGreaterThan(best('averagePrecision') + 0.08);
  expect(model.rocAuc).toBeGreaterThan(best('rocAuc') + 0.007);
  expect(found.length).toBeGreaterThan(0.9 * events.size);
  expect(found.length).toBeGreaterThan(0.6 * marked.length);
});

function changes(): Scorer {
  const last = new Map<number, number>();
  return ({ mote, humidity }) => {
    const before = last.get(mote) ?? humidity;
    last.set(mote, humidity);
    return Math.abs(humidity - before);
  };
}

/** The greatest distance from the mean of a mote, in standard deviations of what came before (Welford). */
function deviations(names: readonly (keyof Scored)[]): Scorer {
  const moments = new Map<string, { n: number; mean: number; squares: number }>();
  return (row) =>
    Math.max(
      ...names.map((name) => {
        const key = `${name} ${row.mote}`;
        const of = moments.get(key) ?? { n: 0, mean: 0, squares: 0 };
        moments.set(key, of);
        const value = Number(row[name]);
        const off = value - of.mean;
        const deviation = Math.sqrt(of.squares / of.n);
        of.n += 1;
        of.mean += off / of.n;
        of.squares += off * (value - of.mean);
        return deviation > 0 ? Math.abs(off) / deviation : 0;
      }),
    );
}
