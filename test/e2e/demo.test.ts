import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Side, sides, topics } from '../../examples/flights/names.js';
import { accountFor, countedBy } from './accounting.js';
import { runBuilt, startBuilt } from './cli.js';
import { kindsOf } from './corruption.js';
import { type EmbeddedContents, readEmbedded, withTables } from './embedded.js';
import { decodeArrived, decodeDeparted, decodePrediction, letterOf, placeOf, schemaIdOf } from './records.js';
import { placesOf, placesSql } from './tables.js';

const FLIGHTS = 60_000;

interface PutIn {
  readonly side: Side;
  readonly kind: string;
  readonly count: number;
  readonly outcome: string;
  readonly reason: string | null;
}

interface Report {
  readonly counts: {
    readonly read: number;
    readonly predictions: number;
    readonly duplicates: number;
    readonly deadLetters: number;
    readonly deadLettersByReason: Readonly<Record<string, number>>;
    readonly tombstones: number;
    readonly imputed: number;
    readonly labels: Readonly<Record<'read' | 'learned' | 'unmatched' | 'duplicates' | 'deadLetters', number>> & {
      readonly deadLettersByReason: Readonly<Record<string, number>>;
    };
  };
  readonly late: Readonly<Record<'rocAuc' | 'logLoss' | 'accuracy' | 'labelled', number>>;
  readonly risk: Readonly<Record<'rows', number>>;
  readonly baselines: { readonly hourRate: Readonly<Record<'rocAuc' | 'logLoss', number>> };
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly peakRssMiB: number;
  readonly peakOwnMiB: number | null;
  readonly everythingCaught: boolean;
}

let folder: string;
const at = (name: string) => join(folder, name);
const demo = (data: string, ...args: string[]) => ['demo', '--limit', String(FLIGHTS), '--data', at(data), ...args];

/** What a run reports, timings aside. */
function figures(out: string): unknown {
  const { seconds, recordsPerSecond, peakRssMiB, peakOwnMiB, ...rest } = JSON.parse(out) as Report;
  expect(recordsPerSecond).toBeGreaterThan(0);
  expect(seconds).toBeGreaterThan(0);
  expect(peakRssMiB).toBeLessThan(2_048);
  expect(peakOwnMiB ?? 0).toBeLessThan(1_024);
  return rest;
}

let out: string;
let report: Report;
let putIn: readonly PutIn[];
let found: EmbeddedContents;
const logOf = (topic: string) => found.topics.get(topic) ?? [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
  out = await runBuilt(demo('main', '--json'));
  report = JSON.parse(out) as Report;
  putIn = (JSON.parse(await readFile(at('main/manifest.json'), 'utf8')) as { putIn: PutIn[] }).putIn;
  found = await readEmbedded(at('main'));
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the demo, looked at by others when it has ended', () => {
  it('accounts for every record of both topics', () => {
    const letters = logOf('flights.dead');
    const [predicted, arrivals] = withTables(at('main'), (sql) => [
      placesOf(sql(placesSql('predictions'))),
      placesOf(sql(placesSql('arrivals'))),
    ]);
    const departed = accountFor({
      topic: topics.departed,
      log: logOf(topics.departed),
      letters,
      accepted: predicted ?? [],
      idOf: (value) => decodeDeparted(value).flightId,
    });
    const arrived = accountFor({
      topic: topics.arrived,
      log: logOf(topics.arrived),
      letters,
      accepted: arrivals ?? [],
      idOf: (value) => decodeArrived(value).flightId,
    });
    expect([...departed.unexplained, ...arrived.unexplained]).toEqual([]);
    expect(letters).toHaveLength(departed.deadLetters + arrived.deadLetters);

    const { counts } = report;
    expect(counts).toMatchObject({
      read: departed.read,
      predictions: departed.accepted,
      duplicates: departed.duplicates,
      deadLetters: departed.deadLetters,
      deadLettersByReason: departed.deadLettersByReason,
      tombstones: departed.tombstones,
    });
    expect(counts.labels).toMatchObject({
      read: arrived.read,
      duplicates: arrived.duplicates,
      deadLetters: arrived.deadLetters,
      deadLettersByReason: arrived.deadLettersByReason,
    });
    expect(counts.read).toBe(counts.predictions + counts.duplicates + counts.deadLetters);
    const { labels } = counts;
    expect(labels.read).toBe(labels.learned + labels.unmatched + labels.duplicates + labels.deadLetters);
    expect(arrived.accepted).toBe(labels.learned + labels.unmatched);
    expect(report.everythingCaught).toBe(true);
  });

  it.each(sides)('catches each kind of corruption in %s where it should be, as the loader put it in', (side) => {
    const topic = topics[side];
    const log = logOf(topic);
    const ownId = [
      ...countedBy(
        log.filter(({ value }) => value && value.length > 5 && value[0] === 0),
        ({ value }) => String(schemaIdOf(value as Buffer)),
      ),
    ].sort(([, a], [, b]) => b - a)[0]?.[0];
    const kinds = kindsOf(side, log, Number(ownId));
    const manifest = putIn.filter((line) => line.side === side);
    expect(Object.fromEntries(countedBy(kinds.flat(), (kind) => kind))).toEqual(
      Object.fromEntries(manifest.map(({ kind, count }) => [kind, count])),
    );
    expect(manifest.length).toBeGreaterThanOrEqual(7);

    const reasonOf = new Map(manifest.map(({ kind, reason }) => [kind, reason]));
    const expected = log.flatMap(({ partition, offset }, n) => {
      const reason = reasonOf.get(kinds[n]?.[0] ?? '');
      return reason ? [`${placeOf(topic, partition, offset)} ${reason}`] : [];
    });
    const letters = logOf('flights.dead').map(letterOf);
    const caught = letters.filter(({ place }) => place.startsWith(`${topic}/`));
    expect(caught.map(({ place, reason }) => `${place} ${reason}`).sort()).toEqual(expected.sort());
  });

  it('keeps the raw bytes of each dead letter', () => {
    const originals = new Map(
      Object.values(topics).flatMap((topic) =>
        logOf(topic).map((record) => [placeOf(topic, record.partition, record.offset), record] as const),
      ),
    );
    for (const letter of logOf('flights.dead')) {
      const original = originals.get(letterOf(letter).place);
      expect(letter.value?.toString('hex')).toBe(original?.value?.toString('hex'));
      expect(letter.key?.toString()).toBe(original?.key?.toString());
    }
  });

  it('says the same in the topic, the table and the key-value store', () => {
    const predictions = logOf('predictions.v1').map(({ key, value }) => {
      const prediction = decodePrediction(value as Buffer);
      expect(key?.toString()).toBe(prediction.origin);
      return prediction;
    });
    expect(predictions).toHaveLength(report.counts.predictions);
    const byFlight = new Map(predictions.map((prediction) => [prediction.flightId, prediction]));
    expect(byFlight.size).toBe(predictions.length);

    const rows = withTables(at('main'), (sql) =>
      sql<Record<string, unknown> & { flightId: number }>(
        `SELECT flightId, origin, destination, toUnixTimestamp64Milli(departedAt) AS departedAt, late, hourRate, lastClass,
           majority, modelVersion, risk, riskModel, degraded, featuresDigest FROM predictions`,
      ),
    );
    expect(rows).toHaveLength(predictions.length);
    for (const row of rows) expect(row).toEqual(byFlight.get(row.flightId));

    expect(found.hashes.size).toBe(predictions.length);
    for (const [flightId, prediction] of byFlight) {
      const fields = Object.entries(prediction).filter(([, field]) => field !== null);
      expect(found.hashes.get(`flight:${flightId}`)).toEqual(
        Object.fromEntries(fields.map(([name, field]) => [name, String(field)])),
      );
    }
  });

  it('answers every question of the query book, with figures that are those of the report', () => {
    const book = readFileSync(new URL('../../docs/guide/queries.md', import.meta.url), 'utf8');
    const questions = [...book.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, sql = '']) => sql);
    expect(questions.length).toBeGreaterThan(11);
    const answers = withTables(at('main'), (sql) =>
      questions.map((question) => sql<Record<string, unknown>>(question)),
    );
    for (const [i, rows] of answers.entries()) expect([questions[i], rows.length > 0]).toEqual([questions[i], true]);
    const answerTo = (words: string) => answers[questions.findIndex((question) => question.includes(words))] ?? [];
    const sumOf = (rows: readonly Record<string, unknown>[], column: string) =>
      rows.reduce((sum, row) => sum + Number(row[column]), 0);
    const { counts } = report;
    const dead = counts.deadLetters + counts.labels.deadLetters;
    expect(sumOf(answerTo('AS reason'), 'deadLetters')).toBe(dead);
    expect(sumOf(answerTo('lagInFrame'), 'deadLetters')).toBe(dead);
    expect(answerTo('AS duplicates').find(({ step }) => step === 'dedupe')).toMatchObject({
      recordsOut:
        counts.read -
        counts.duplicates -
        sumOf(
          answerTo('AS reason').filter(({ step }) => step === 'departed'),
          'deadLetters',
        ),
      duplicates: counts.duplicates,
    });
    expect(answerTo('AS withLabel')).toMatchObject([{ predictions: counts.predictions }]);
    const tenths = answerTo('AS predictedFrom');
    const error = tenths.reduce((sum, { flights, gap }) => sum + Number(flights) * Math.abs(Number(gap)), 0);
    const [{ expectedCalibrationError = 0 } = {}] = answerTo('AS expectedCalibrationError');
    expect(error / sumOf(tenths, 'flights')).toBeCloseTo(Number(expectedCalibrationError), 3);
  });

  it('reports the quality that plain counting over the topics gives', () => {
    const labels = new Map<number, boolean>();
    for (const { value } of logOf(topics.arrived)) {
      if (value?.[0] !== 0) continue;
      try {
        const { flightId, delayMinutes } = decodeArrived(value);
        if (delayMinutes >= -180 && delayMinutes <= 2_000) labels.set(flightId, delayMinutes >= 15);
      } catch {
        // truncated: no label
      }
    }
    let [loss, right, labelled] = [0, 0, 0];
    for (const { value } of logOf('predictions.v1')) {
      const { flightId, late } = decodePrediction(value as Buffer);
      const label = labels.get(flightId);
      if (label === undefined) continue;
      loss -= Math.log(label ? late : 1 - late);
      if (late >= 0.5 === label) right++;
      labelled++;
    }
    expect(report.late.labelled).toBe(labelled);
    expect(report.late.logLoss).toBeCloseTo(loss / labelled, 6);
    expect(report.late.accuracy).toBeCloseTo(right / labelled, 9);
    expect(report.late.logLoss).toBeLessThan(report.baselines.hourRate.logLoss);
  });

  it('leaves a page that needs nothing from anywhere else', () => {
    const page = readFileSync(at('main/report.html'), 'utf8');
    expect(page.length).toBeGreaterThan(10_000);
    const addresses = page.match(/(?:https?:)?\/\/[a-z0-9][^\s"'<>)]*/gi) ?? [];
    expect(addresses.filter((address) => address !== 'http://www.w3.org/2000/svg')).toEqual([]);
    expect(page).not.toMatch(/<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=/i);
    expect(page).not.toMatch(/@import|url\(/i);
    expect(JSON.parse(readFileSync(at('main/report.json'), 'utf8'))).toMatchObject({ counts: report.counts });
  });
});

describe('the demo, run again', () => {
  it('does nothing where all is done, and reports the same', async () => {
    const again = await runBuilt(demo('main', '--json'));
    expect(figures(again)).toEqual(figures(out));
    const after = await readEmbedded(at('main'));
    expect([...after.topics].map(([topic, log]) => [topic, log.length])).toEqual(
      [...found.topics].map(([topic, log]) => [topic, log.length]),
    );
  });

  it('goes on after Ctrl-C while it loads and while it runs, to the same report', async () => {
    const loading = startBuilt(demo('stopped', '--json'));
    await loading.said('flights and writing them');
    loading.child.kill('SIGINT');
    const first = await loading.ended;
    expect(first).toMatchObject({ code: 0, signal: null, out: '' });
    expect(first.err).toContain('goes on from here');
    expect((JSON.parse(readFileSync(at('stopped/manifest.json'), 'utf8')) as { complete: boolean }).complete).toBe(
      false,
    );

    const running = startBuilt(demo('stopped', '--json', '--rate', '60000'));
    await running.said(' dead');
    running.child.kill('SIGINT');
    const second = await running.ended;
    expect(second).toMatchObject({ code: 0, signal: null, out: '' });
    expect(second.err).toContain('stopped and committed; the same command goes on from here');
    const half = await readEmbedded(at('stopped'));
    const predicted = half.topics.get('predictions.v1')?.length ?? 0;
    expect(predicted).toBeLessThan(report.counts.predictions);

    expect(figures(await runBuilt(demo('stopped', '--json')))).toEqual(figures(out));
    const whole = await readEmbedded(at('stopped'));
    expect(contentsOf(whole, 'predictions.v1')).toEqual(contentsOf(found, 'predictions.v1'));
    expect(lettersIn(whole)).toEqual(lettersIn(found));
  });

  it('refuses other settings on the same folder and says what helps; --fresh begins anew, --clean without corruption', async () => {
    const refused = await startBuilt(demo('stopped', '--seed', '2')).ended;
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('seed 1, not 2');
    expect(refused.err).toContain('--fresh');

    const clean = ['demo', '--limit', '20000', '--data', at('stopped'), '--seed', '2', '--clean', '--fresh', '--json'];
    const anew = JSON.parse(await runBuilt(clean)) as Report;
    expect(anew.counts).toMatchObject({ read: 20_000, predictions: 20_000, duplicates: 0, deadLetters: 0, imputed: 0 });
    expect(anew.counts.labels).toMatchObject({ read: 20_000, unmatched: 0, duplicates: 0 });
    expect(anew.everythingCaught).toBe(true);
    const { topics: logs } = await readEmbedded(at('stopped'));
    expect(logs.get(topics.departed)).toHaveLength(20_000);
    expect(existsSync(at('stopped/report.html'))).toBe(true);
  });
});

/** Keys and values by partition, in order of offsets. */
const contentsOf = ({ topics: logs }: EmbeddedContents, topic: string): string[] =>
  (logs.get(topic) ?? []).map(
    ({ partition, offset, key, value }) => `${partition}/${offset} ${key?.toString()} ${value?.toString('base64')}`,
  );

/** Letters without their offsets: steps write them one after another, so their order is that of the rounds. */
const lettersIn = ({ topics: logs }: EmbeddedContents): string[] =>
  (logs.get('flights.dead') ?? [])
    .map(({ headers, value }) => `${JSON.stringify([...headers])} ${value?.toString('base64')}`)
    .sort();
