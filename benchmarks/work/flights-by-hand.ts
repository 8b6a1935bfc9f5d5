import type { FlightArrived } from '../../schemas/flight-arrived.v1.js';
import type { FlightDeparted } from '../../schemas/flight-departed.v1.js';
import type { FeatureVector } from '../../src/core/learner.js';
import type { Cell, CellSpecs } from '../../src/core/state.js';
import { baselineCells, openBaselines } from '../../src/ml/evaluation/baseline-cells.js';
import { binaryJudge } from '../../src/ml/evaluation/judges.js';
import { scoreboard, scoreboardSize } from '../../src/ml/evaluation/scoreboard.js';
import { ftrl, lastClass, logisticRegression, majority, rateBy } from '../../src/ml/index.js';
import { float64Cell } from '../../src/state/index.js';
import { type Flight, flightFeatures, localHour } from '../../topologies/flight-features.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PENDING_MAX = 100_000;
const MEDIAN_OF = 1_001;

/** A departed flight with what the model said of it. */
export interface Judged {
  readonly flight: Flight;
  readonly features: FeatureVector;
  readonly late: number;
  readonly hourRate: number;
  readonly lastClass: number;
  readonly majority: number;
  readonly modelVersion: string;
}

interface Pending {
  readonly timeMs: number;
  readonly features: FeatureVector;
  readonly said: number[];
  readonly groups: readonly (string | number)[];
}

const openCells = (specs: CellSpecs): Record<string, Cell> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.open()]));

/**
 * What the flights topology does from dedupe to learn, as somebody would write it who has no engine and needs no
 * checkpoint: maps and a loop around the same feature view, learner, baselines and scores.
 */
export class FlightsByHand {
  private readonly departedSeen = new Map<number, number>();
  private readonly arrivedSeen = new Map<number, number>();
  private readonly pending = new Map<number, Pending>();
  private readonly view = flightFeatures.open(openCells(flightFeatures.cells));
  private readonly model;
  private readonly baselines;
  private readonly scores = scoreboard(
    float64Cell({ size: scoreboardSize(binaryJudge, 4) }).open(),
    binaryJudge,
    4,
    HOUR_MS,
  );
  private readonly distances: number[] = [];
  private readonly sortedDistances: number[] = [];
  private nowMs = Number.NEGATIVE_INFINITY;
  private sweptMs = Number.NEGATIVE_INFINITY;
  private learned = 0;
  private version = -1;
  private modelVersion = '';

  constructor() {
    const learner = logisticRegression({ optimizer: ftrl({ alpha: 0.2 }) });
    const named = [
      ['hourRate', rateBy({ by: localHour })],
      ['lastClass', lastClass()],
      ['majority', majority()],
    ] as const;
    this.model = learner.open(openCells(learner.cells(flightFeatures.shape)) as never, flightFeatures.shape);
    this.baselines = openBaselines<Flight>(named, openCells(baselineCells(named, 'binary')) as never);
  }

  /** `undefined` for a duplicate and for a flight that makes no sense. */
  departed(flight: FlightDeparted, timeMs: number): Judged | undefined {
    this.advance(timeMs);
    if (!isNew(this.departedSeen, flight.flightId, this.nowMs)) return undefined;
    if (flight.origin === null || flight.destination === null) return undefined;
    if (flight.distance !== null && !(flight.distance >= 1 && flight.distance <= 12_000)) return undefined;
    if (this.nowMs - flight.departedAt > 12 * HOUR_MS) return undefined;
    const filled = this.filledIn(flight);
    if (!filled) return undefined;

    const features = this.view.track(filled, this.nowMs);
    const groups = this.baselines.groupsOf(filled);
    const said = [this.model.predictOne(features), 0.5, 0.5, 0.5];
    this.baselines.predict(groups, said, 1);
    if (this.pending.size >= PENDING_MAX) this.pending.delete(this.pending.keys().next().value as number);
    this.pending.set(flight.flightId, { timeMs: this.nowMs, features, said, groups });
    return {
      flight: filled,
      features,
      late: said[0] as number,
      hourRate: said[1] as number,
      lastClass: said[2] as number,
      majority: said[3] as number,
      modelVersion: this.modelVersion,
    };
  }

  arrived(arrival: FlightArrived, timeMs: number): void {
    this.advance(timeMs);
    const { flightId, delayMinutes } = arrival;
    if (!isNew(this.arrivedSeen, flightId, this.nowMs)) return;
    if (!(delayMinutes >= -180 && delayMinutes <= 2_000)) return;
    this.view.observe(arrival, this.nowMs);
    const waiting = this.pending.get(flightId);
    if (!waiting) return;
    this.pending.delete(flightId);
    const late = delayMinutes >= 15;
    this.scores.add(waiting.said, Number(late));
    this.baselines.learn(waiting.groups, Number(late));
    if (this.model.learnOne(waiting.features, late) === 'learnt') this.learned += 1;
  }

  private advance(timeMs: number): void {
    if (timeMs > this.nowMs) this.nowMs = timeMs;
    if (this.nowMs >= this.sweptMs + HOUR_MS) this.sweep();
    this.scores.turn(this.nowMs);
    const version = this.learned - (this.learned % 1_000);
    if (version === this.version) return;
    this.version = version;
    this.modelVersion = `delay-model.0.${version}`;
  }

  private sweep(): void {
    this.sweptMs = this.nowMs;
    forget(this.departedSeen, this.nowMs, (since) => since);
    forget(this.arrivedSeen, this.nowMs, (since) => since);
    forget(this.pending, this.nowMs, ({ timeMs }) => timeMs);
  }

  /** The flight with the median of the last distances in the place of a missing one. */
  private filledIn(flight: FlightDeparted): Flight | undefined {
    const { sortedDistances: sorted, distances } = this;
    const { distance } = flight;
    if (distance === null) {
      const middle = sorted[sorted.length >> 1];
      return middle === undefined ? undefined : ({ ...flight, distance: middle } as Flight);
    }
    distances.push(distance);
    sorted.splice(placeOf(sorted, distance), 0, distance);
    if (distances.length > MEDIAN_OF) sorted.splice(placeOf(sorted, distances.shift() as number), 1);
    return flight as Flight;
  }
}

function placeOf(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isNew(seen: Map<number, number>, id: number, nowMs: number): boolean {
  const since = seen.get(id);
  if (since !== undefined && since > nowMs - DAY_MS) return false;
  seen.set(id, nowMs);
  return true;
}

/** Drops what was put in more than a day ago: a map hands its entries out in the order in which they came. */
function forget<T>(kept: Map<number, T>, nowMs: number, sinceOf: (entry: T) => number): void {
  for (const [id, entry] of kept) {
    if (sinceOf(entry) > nowMs - DAY_MS) return;
    kept.delete(id);
  }
}
