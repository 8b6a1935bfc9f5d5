import { getOrInsert } from '../../src/util/maps.js';
import { expectedOf, type Manifest } from './manifest.js';
import { counters, deadPrefix, type Side, sides, stepsOf } from './names.js';
import {
  type CalibrationRow,
  type CounterRow,
  calibrationSql,
  countersSql,
  createLabelled,
  dropLabelled,
  type HourRow,
  hoursSql,
  type Model,
  type PredictionCount,
  predictionCountSql,
  type ScoreRow,
  scoresSql,
  slices,
  whereRisk,
  whereTopOrigins,
} from './report-sql.js';
import type { Command, Query } from './sql.js';

/** How well one set of probabilities did. */
export interface Score {
  readonly rows: number;
  readonly rocAuc: number | null;
  readonly logLoss: number;
  readonly accuracy: number;
  readonly calibrationError: number;
}

/** Scores of one week, day or origin. */
export interface SliceScores {
  readonly slice: string;
  readonly rows: number;
  readonly lateShare: number;
  readonly models: Readonly<Partial<Record<Model, Score>>>;
}

/** Kinds of corruption that end in the same place, put in and caught. */
export interface Caught {
  readonly side: Side;
  readonly kinds: readonly string[];
  readonly outcome: string;
  readonly reason: string | null;
  readonly putIn: number;
  readonly caught: number;
}

/** What the run itself knows and no table does. */
export interface RunFacts {
  readonly profile: string;
  readonly seconds: number;
  /** Records of both topics that the engine read, by second of its running. */
  readonly recordsPerSecond: number;
  /** The most that was in memory, with the mapped pages of files that the system could drop. */
  readonly peakRssMiB: number;
  /** The most without these pages while it streamed; null where the system does not tell. */
  readonly peakOwnMiB: number | null;
}

export interface FlightReport extends RunFacts {
  readonly flights: number;
  readonly seed: number;
  readonly clean: boolean;
  readonly counts: {
    readonly read: number;
    readonly predictions: number;
    readonly duplicates: number;
    readonly deadLetters: number;
    readonly deadLettersByReason: Readonly<Record<string, number>>;
    readonly imputed: number;
    readonly tombstones: number;
    /** Distinct flights among the predictions. */
    readonly flightsPredicted: number;
    /** Predictions that a later link of the fallback chain answered. */
    readonly degraded: number;
    readonly labels: {
      readonly read: number;
      readonly learned: number;
      readonly unmatched: number;
      readonly duplicates: number;
      readonly deadLetters: number;
      readonly deadLettersByReason: Readonly<Record<string, number>>;
      readonly tombstones: number;
    };
  };
  readonly late: Score & { readonly labelled: number; readonly lateShare: number };
  /** On rows after the training of the model only; `lateRocAuc` and `lateLogLoss` are those of `late` on these rows. */
  readonly risk: Score & { readonly lateRocAuc: number | null; readonly lateLogLoss: number | null };
  readonly baselines: { readonly hourRate: Score; readonly lastClass: Score; readonly majority: Score };
  readonly byWeek: readonly SliceScores[];
  readonly byDay: readonly SliceScores[];
  readonly byOrigin: readonly SliceScores[];
  readonly byHour: readonly HourRow[];
  readonly calibration: readonly CalibrationRow[];
  readonly putIn: readonly Caught[];
  /** Every record is accounted for, kind by kind. */
  readonly everythingCaught: boolean;
}

const originsMax = 20;
const noScore: Score = { rows: 0, rocAuc: null, logLoss: 0, accuracy: 0, calibrationError: 0 };

/**
 * The report of a run, by SQL over the tables that the topology wrote, held against the loader's manifest.
 *
 * Creates one table in memory for the time of the report (some 60 bytes a prediction) and drops it.
 *
 * @example
 * const report = await makeReport({ query, command, manifest, facts });
 * report.late.rocAuc; // 0.74
 */
export async function makeReport({
  query,
  command,
  manifest,
  facts,
}: {
  readonly query: Query;
  readonly command: Command;
  readonly manifest: Manifest;
  readonly facts: RunFacts;
}): Promise<FlightReport> {
  await command(dropLabelled);
  await command(createLabelled);
  try {
    return assemble(await readFigures(query), manifest, facts);
  } finally {
    await command(dropLabelled);
  }
}

/** One statement after another: the engine uses all cores for each, and their memory does not add up. */
async function readFigures(query: Query) {
  const everyone: Model[] = ['late', 'hourRate', 'lastClass', 'majority'];
  return {
    predictions: (await query<PredictionCount>(predictionCountSql))[0],
    counters: await query<CounterRow>(countersSql),
    all: await query<ScoreRow>(scoresSql(slices.all, everyone)),
    risk: await query<ScoreRow>(scoresSql(slices.all, ['risk', 'late'], whereRisk)),
    weeks: await query<ScoreRow>(scoresSql(slices.week, [...everyone, 'risk'])),
    days: await query<ScoreRow>(scoresSql(slices.day, ['late', 'hourRate', 'risk'])),
    origins: await query<ScoreRow>(scoresSql(slices.origin, everyone, whereTopOrigins(originsMax))),
    hours: await query<HourRow>(hoursSql),
    calibration: await query<CalibrationRow>(calibrationSql('late')),
  };
}

type Figures = Awaited<ReturnType<typeof readFigures>>;

function assemble(figures: Figures, manifest: Manifest, facts: RunFacts): FlightReport {
  const { predictions } = figures;
  const counted = countsOf(figures.counters);
  const score = (rows: readonly ScoreRow[], model: Model): Score => {
    const row = rows.find((candidate) => candidate.model === model);
    return row ? toScore(row) : noScore;
  };
  const dead = { departed: counted.dead('departed'), arrived: counted.dead('arrived') };
  const late = score(figures.all, 'late');
  const beside = score(figures.risk, 'late');
  const counts: FlightReport['counts'] = {
    read: counted.of('read'),
    predictions: predictions?.rows ?? 0,
    duplicates: counted.of('duplicates'),
    deadLetters: total(dead.departed),
    deadLettersByReason: dead.departed,
    imputed: counted.of('imputed'),
    tombstones: counted.of('tombstones'),
    flightsPredicted: predictions?.flights ?? 0,
    degraded: predictions?.degraded ?? 0,
    labels: {
      read: counted.of('labelsRead'),
      learned: counted.of('learned'),
      unmatched: counted.of('unmatched'),
      duplicates: counted.of('labelDuplicates'),
      deadLetters: total(dead.arrived),
      deadLettersByReason: dead.arrived,
      tombstones: counted.of('labelTombstones'),
    },
  };
  const putIn = comparePutIn(manifest, counts);
  return {
    ...facts,
    flights: manifest.flights,
    seed: manifest.seed,
    clean: manifest.clean,
    counts,
    late: { ...late, labelled: late.rows, lateShare: figures.all[0]?.lateShare ?? 0 },
    risk: {
      ...score(figures.risk, 'risk'),
      lateRocAuc: beside.rocAuc,
      lateLogLoss: beside.rows > 0 ? beside.logLoss : null,
    },
    baselines: {
      hourRate: score(figures.all, 'hourRate'),
      lastClass: score(figures.all, 'lastClass'),
      majority: score(figures.all, 'majority'),
    },
    byWeek: bySlice(figures.weeks),
    byDay: bySlice(figures.days),
    byOrigin: bySlice(figures.origins).sort((a, b) => b.rows - a.rows),
    byHour: figures.hours,
    calibration: figures.calibration,
    putIn,
    everythingCaught:
      putIn.every((line) => line.putIn === line.caught) && counts.flightsPredicted === counts.predictions,
  };
}

const toScore = ({ rows, rocAuc, logLoss, accuracy, calibrationError }: ScoreRow): Score => ({
  rows,
  rocAuc,
  logLoss,
  accuracy,
  calibrationError,
});

function bySlice(rows: readonly ScoreRow[]): SliceScores[] {
  const found = new Map<string, { -readonly [K in keyof SliceScores]: SliceScores[K] }>();
  for (const row of rows) {
    const slice = getOrInsert(found, row.slice, () => ({ slice: row.slice, rows: 0, lateShare: 0, models: {} }));
    slice.models = { ...slice.models, [row.model]: toScore(row) };
    // `risk` may have answered only some of the slice's rows.
    if (row.model === 'late') Object.assign(slice, { rows: row.rows, lateShare: row.lateShare });
  }
  return [...found.values()];
}

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

function countsOf(rows: readonly CounterRow[]) {
  return {
    of(name: keyof typeof counters): number {
      const places: readonly (readonly [string, string])[] = counters[name];
      const counts = rows.filter((row) =>
        places.some(([step, counter]) => row.step === step && row.counter === counter),
      );
      return counts.reduce((sum, row) => sum + row.total, 0);
    },
    dead(side: Side): Record<string, number> {
      const byReason: Record<string, number> = {};
      for (const { step, counter, total } of rows) {
        if (!counter.startsWith(deadPrefix) || !stepsOf[side].includes(step)) continue;
        const reason = counter.slice(deadPrefix.length);
        byReason[reason] = (byReason[reason] ?? 0) + total;
      }
      return byReason;
    },
  };
}

/** Holds what was put in against what was caught; dead letters that nobody expected appear as lines of their own. */
function comparePutIn(manifest: Manifest, counts: FlightReport['counts']): Caught[] {
  const lines = new Map<string, { -readonly [K in keyof Caught]: Caught[K] }>();
  for (const { side, kind, outcome, reason, count } of manifest.putIn) {
    const line = getOrInsert(lines, `${side}/${outcome}/${reason}`, () => ({
      side,
      kinds: [],
      outcome,
      reason,
      putIn: 0,
      caught: caughtBy(counts, side, outcome, reason),
    }));
    line.kinds = [...line.kinds, kind];
    line.putIn += count;
  }
  for (const side of sides) {
    const expected = expectedOf(manifest, side).deadLettersByReason;
    for (const [reason, caught] of Object.entries(deadLettersOf(counts, side))) {
      if (expected[reason] !== undefined || caught === 0) continue;
      lines.set(`${side}/${reason}`, { side, kinds: [], outcome: 'dead-letter', reason, putIn: 0, caught });
    }
  }
  return [...lines.values()];
}

const deadLettersOf = (counts: FlightReport['counts'], side: Side): Readonly<Record<string, number>> =>
  side === 'departed' ? counts.deadLettersByReason : counts.labels.deadLettersByReason;

function caughtBy(counts: FlightReport['counts'], side: Side, outcome: string, reason: string | null): number {
  const { labels } = counts;
  switch (outcome) {
    case 'prediction':
      return counts.predictions;
    case 'learned':
      return labels.learned;
    case 'duplicate':
      return side === 'departed' ? counts.duplicates : labels.duplicates;
    case 'imputed':
      return counts.imputed;
    case 'unmatched':
      return labels.unmatched;
    case 'tombstone':
      return side === 'departed' ? counts.tombstones : labels.tombstones;
    default:
      return deadLettersOf(counts, side)[reason ?? ''] ?? 0;
  }
}
