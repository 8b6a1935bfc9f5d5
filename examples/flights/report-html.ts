import { calibrationChart, dayChart, hourChart, percent, type Series, shortDate } from './charts.js';
import { riskJudgedFromMs, type Side, topics } from './names.js';
import type { Caught, FlightReport, Score, SliceScores } from './report.js';
import type { Model } from './report-sql.js';
import { reportStyle } from './report-style.js';
import { escaped } from './svg.js';

const whole = (n: number): string => Math.round(n).toLocaleString('en-US');
const fixed = (n: number | null | undefined, digits = 3): string =>
  n === null || n === undefined ? '–' : n.toFixed(digits);

/** `online` is the model that learns in the stream (`late`), `ONNX` the one trained beforehand (`risk`). */
const names: Readonly<Record<Model, string>> = {
  late: 'online',
  risk: 'ONNX',
  hourRate: 'hour rate',
  lastClass: 'last class',
  majority: 'majority',
};

/**
 * The report as one HTML page that needs nothing else: plots as inline SVG, no script, nothing fetched.
 *
 * @example
 * await writeFile('report.html', reportHtml(report));
 */
export function reportHtml(report: FlightReport): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millrace: flight delays</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<h1>Will this flight be late?</h1>
<p class="lead">${lead(report)}</p>
${tiles(report)}
<div class="two">
${dayPlot(report, 'ROC AUC by day', 'ROC AUC', 'rocAuc', 'Higher is better; 0.5 is guessing.')}
${dayPlot(report, 'Log loss by day', 'log loss', 'logLoss', 'Lower is better: it punishes what was promised too surely.')}
</div>
<div class="two">
<section><h2>Calibration</h2>
<p class="note">On the dashed line promises are kept. The larger a point, the more flights. Mean miss: ${percent(report.late.calibrationError, 1)}.</p>
${calibrationChart(report.calibration)}</section>
<section><h2>Late share by hour of departure</h2>
<p class="note"><span class="key"></span> really late &ensp; <span class="key late"></span> predicted at departure, on average &ensp; (hours with fewer than 0.1 % of the flights are left out)</p>
${hourChart(report.byHour)}</section>
</div>
${weeks(report)}
${origins(report)}
${caught(report)}
${facts(report)}
</main>
</body>
</html>
`;
}

function lead({ flights, late }: FlightReport): string {
  return `${whole(flights)} US flights of 2001, streamed in the order in which they left. At each departure a model said how
likely the flight was to arrive 15 minutes or more late, and learned from the answer only when that flight had arrived.
${percent(late.lateShare, 1)} were late. Every score below judges the prediction made at departure; all of them were computed by SQL in
ClickHouse, over what the stream wrote.`;
}

function tiles({ late, baselines, counts, risk, ...run }: FlightReport): string {
  const tile = (name: string, figure: string, beside: string) =>
    `<div class="tile"><dt>${name}</dt><dd><div class="figure">${figure}</div><div class="beside">${beside}</div></dd></div>`;
  const dead = counts.deadLetters + counts.labels.deadLetters;
  return `<dl class="tiles">
${tile('Predictions', whole(counts.predictions), `${whole(late.labelled)} of them with a label`)}
${tile('Online: ROC AUC', fixed(late.rocAuc), `hour-of-day rate: ${fixed(baselines.hourRate.rocAuc)}`)}
${tile('Online: log loss', fixed(late.logLoss), `hour-of-day rate: ${fixed(baselines.hourRate.logLoss)}`)}
${tile('ONNX: ROC AUC', fixed(risk.rocAuc), `from 15 January on; online: ${fixed(risk.lateRocAuc)}`)}
${tile('Dead letters', whole(dead), run.everythingCaught ? 'each one expected' : 'not as expected: see below')}
${tile('Speed', `${whole(run.recordsPerSecond)}/s`, `${run.seconds.toFixed(1)} s, ${whole(run.peakOwnMiB ?? run.peakRssMiB)} MiB at most`)}
</dl>`;
}

function dayPlot(
  { byDay }: FlightReport,
  title: string,
  unit: string,
  field: 'rocAuc' | 'logLoss',
  note: string,
): string {
  const judgedFrom = new Date(riskJudgedFromMs).toISOString().slice(0, 10);
  // First and last day are cut off, and hold one end of a day only: they would draw a wild point.
  const fullest = Math.max(...byDay.map(({ rows }) => rows));
  const days = byDay.filter(({ rows }) => rows >= fullest / 3);
  const series = (model: Model, colour: string): Series => ({
    name: names[model],
    colour,
    values: days.map(({ slice, models }) =>
      model === 'risk' && slice < judgedFrom ? null : (models[model]?.[field] ?? null),
    ),
  });
  return `<section><h2>${title}</h2><p class="note">${note}</p>
${dayChart(
  title,
  unit,
  days.map(({ slice }) => slice),
  [series('hourRate', 'plain'), series('risk', 'risk'), series('late', 'late')],
)}</section>`;
}

const numbers = (values: readonly string[]): string => values.map((value) => `<td>${value}</td>`).join('');

/** The best of a row stands out, so that a useless model cannot hide. */
function scoreCells(
  models: SliceScores['models'],
  shown: readonly Model[],
  field: keyof Score,
  best: 'max' | 'min',
): string {
  const values = shown.map((model) => models[model]?.[field] ?? null);
  const known = values.filter((value) => value !== null);
  const top = best === 'max' ? Math.max(...known) : Math.min(...known);
  return values.map((value) => `<td${value === top ? ' class="best"' : ''}>${fixed(value)}</td>`).join('');
}

function scoreTable(
  first: string,
  rows: readonly SliceScores[],
  name: (slice: string) => string,
  shown: readonly Model[],
): string {
  const heads = shown.map((model) => `<th scope="col">${names[model]}</th>`).join('');
  return `<div class="scroll"><table>
<thead><tr><td colspan="3"></td><th class="group" colspan="${shown.length}" scope="colgroup">ROC AUC</th>
<th class="group" colspan="${shown.length}" scope="colgroup">log loss</th><td colspan="2"></td></tr>
<tr><th scope="col" class="word">${first}</th><th scope="col">flights</th><th scope="col">late</th>${heads}${heads}
<th scope="col">accuracy</th><th scope="col">calibration<br>error</th></tr></thead>
<tbody>${rows
    .map(
      ({ slice, rows: flights, lateShare, models }) => `<tr><th scope="row">${escaped(name(slice))}</th>
${numbers([whole(flights), percent(lateShare, 1)])}${scoreCells(models, shown, 'rocAuc', 'max')}${scoreCells(models, shown, 'logLoss', 'min')}
${numbers([percent(models.late?.accuracy ?? 0, 1), percent(models.late?.calibrationError ?? 0, 1)])}</tr>`,
    )
    .join('\n')}</tbody></table></div>`;
}

function weeks({ byWeek }: FlightReport): string {
  return `<section><h2>By week</h2>
<p class="note">“online” learns in the stream, “ONNX” was trained beforehand. Accuracy and calibration error are those of the online
model. The ONNX model was trained on 1 to 14 January and is judged on
later flights only. A baseline that is always certain pays for it in log loss.</p>
${scoreTable('week of', byWeek, shortDate, ['late', 'risk', 'hourRate', 'lastClass', 'majority'])}</section>`;
}

function origins({ byOrigin }: FlightReport): string {
  return `<section><h2>By origin</h2><p class="note">The ${byOrigin.length} airports with the most departures.</p>
${scoreTable('airport', byOrigin, (slice) => slice, ['late', 'hourRate', 'lastClass', 'majority'])}</section>`;
}

const outcomes: Readonly<Record<string, string>> = {
  prediction: 'prediction',
  learned: 'learned from',
  duplicate: 'dropped as a duplicate',
  imputed: 'predicted, distance filled in',
  unmatched: 'no flight to learn for',
  tombstone: 'tombstone',
};

const outcomeOf = ({ outcome, reason }: Caught): string => outcomes[outcome] ?? `dead letter: ${reason}`;

function caught({ putIn, everythingCaught, clean }: FlightReport): string {
  const rows = (side: Side) =>
    putIn
      .filter((row) => row.side === side)
      .map((row) => {
        const good = row.putIn === row.caught;
        return `<tr><th scope="row">${escaped(row.kinds.join(', ') || 'nothing that was put in')}</th><td class="word">${escaped(outcomeOf(row))}</td>
${numbers([whole(row.putIn), whole(row.caught)])}<td><span class="mark ${good ? 'good' : 'bad'}">${good ? 'equal' : 'differs'}</span></td></tr>`;
      })
      .join('\n');
  const table = (side: Side) => `<div class="scroll"><table>
<thead><tr><th scope="col" class="word">${topics[side]}</th><th scope="col" class="word">must become</th><th scope="col">put in</th>
<th scope="col">caught</th><td></td></tr></thead><tbody>${rows(side)}</tbody></table></div>`;
  return `<section><h2>Put in, and caught ${
    everythingCaught
      ? '<span class="mark good">all accounted for</span>'
      : '<span class="mark bad">something is missing</span>'
  }</h2>
<p class="note">${
    clean ? 'A clean run: no corruption was added.' : 'The loader corrupted some records, and counted them.'
  } Caught is what the steps counted.</p>
${table('departed')}<br>${table('arrived')}</section>`;
}

function facts(report: FlightReport): string {
  const { profile, seconds, recordsPerSecond, peakRssMiB, peakOwnMiB, seed, flights, counts } = report;
  const rows: [string, string][] = [
    ['profile', profile],
    ['flights', `${whole(flights)}, seed ${seed}`],
    ['records read', `${whole(counts.read)} departed, ${whole(counts.labels.read)} arrived`],
    ['time', `${seconds.toFixed(1)} s; ${whole(recordsPerSecond)} records/s while streaming`],
    [
      'memory',
      `${whole(peakRssMiB)} MiB at the highest${peakOwnMiB === null ? '' : `, ${whole(peakOwnMiB)} MiB beside mapped files`}`,
    ],
    [
      'moment of arrival',
      'an estimate: departure + 40 min + 0.117 min a mile. Departures and delays are the data’s own.',
    ],
    ['data', 'vega-datasets, flights-3m.parquet: US Department of Transportation, January to June 2001'],
  ];
  return `<section><h2>The run</h2><dl class="facts">${rows
    .map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`)
    .join('')}</dl></section>`;
}
