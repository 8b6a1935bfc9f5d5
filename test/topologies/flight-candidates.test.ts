import { expect, it } from 'vitest';
import { flightEvents } from '../../benchmarks/work/flight-events.js';
import { type FeatureNumbers, type FeatureVector, hours, type Learner } from '../../src/core/index.js';
import { ftrl, logisticRegression } from '../../src/ml/index.js';
import { logLossOf } from '../../src/ml/metrics/probabilities/log-loss.js';
import { featurize, learn, selectBySuccessiveHalving } from '../../src/operators/index.js';
import { type DrivenInput, DrivenStep } from '../../src/testing/drive-operator.js';
import { type Flight, flightFeatures } from '../../topologies/flight-features.js';

const FLIGHTS = 60_000;

interface Row {
  readonly flightId: number;
  readonly features: FeatureVector;
}
interface Arrived {
  readonly flightId: number;
  readonly delayMinutes: number;
}
const isLate = ({ delayMinutes }: Arrived) => delayMinutes >= 15;

const settings = [0.005, 0.02, 0.05, 0.1, 0.2, 0.5].flatMap((alpha) => [0, 5].map((l1) => ({ alpha, l1 })));
const options = {
  as: 'late',
  view: flightFeatures,
  key: (row: Row) => row.flightId,
  label: { key: (arrived: Arrived) => arrived.flightId, value: isLate, wait: hours(24) },
  pendingMax: 100_000,
} as const;

/** Real flights behind `featurize`, merged with their arrivals by time. */
async function realFlights(): Promise<DrivenInput[]> {
  const { slice } = await flightEvents(FLIGHTS, 1);
  const step = new DrivenStep(featurize(flightFeatures));
  return slice(0, 0, 2 * FLIGHTS).map((event) => {
    const value = event.departed
      ? ({ ...event.departed, distance: event.departed.distance ?? 700 } as Flight)
      : event.arrived;
    const input = { input: event.departed ? 0 : 1, value, eventTimeMs: event.timeMs };
    step.push(input);
    return event.departed ? { ...input, value: step.emitted.pop()?.value } : input;
  });
}

/** The mean log loss of what an operator predicted, and how often learners were asked to predict or learn. */
function runOf(
  operatorOf: (
    counted: <P>(learner: Learner<boolean, P>) => Learner<boolean, P>,
  ) => ConstructorParameters<typeof DrivenStep>[0],
  arrivals: readonly DrivenInput[],
) {
  let calls = 0;
  const step = new DrivenStep(
    operatorOf((learner) => ({
      ...learner,
      open(cells, shape) {
        const logic = learner.open(cells, shape);
        return {
          predictOne(features: FeatureNumbers) {
            calls += 1;
            return logic.predictOne(features);
          },
          learnOne(features, label, weight) {
            calls += 1;
            return logic.learnOne(features, label, weight);
          },
        };
      },
    })),
  );
  const said = new Map<number, number>();
  let loss = 0;
  let labels = 0;
  for (const arrival of arrivals) {
    step.push(arrival);
    for (const { value, output } of step.emitted.splice(0)) {
      if (output === 'eliminations') continue;
      const { flightId, late } = value as Row & { late: { probability: number } };
      said.set(flightId, late.probability);
    }
    if (arrival.input === 0) continue;
    const arrived = arrival.value as Arrived;
    const probability = said.get(arrived.flightId);
    if (probability === undefined) continue;
    labels += 1;
    loss += logLossOf(probability, isLate(arrived));
  }
  expect(step.failure).toBeUndefined();
  return { loss: loss / labels, labels, calls };
}

it('selects among 12 settings on real flights: within 1 % of the best in hindsight, at less than 4 times the cost of one', {
  timeout: 120_000,
}, async () => {
  const arrivals = await realFlights();
  const alone = settings.map((setting) =>
    runOf((counted) => learn(counted(logisticRegression({ optimizer: ftrl(setting) })), options), arrivals),
  );
  const selected = runOf(
    (counted) =>
      selectBySuccessiveHalving(
        Object.fromEntries(
          settings.map((setting) => [
            `alpha ${setting.alpha}, l1 ${setting.l1}`,
            counted(logisticRegression({ optimizer: ftrl(setting) })),
          ]),
        ),
        { ...options, rungLabels: 500 },
      ),
    arrivals,
  );
  const [best, worst] = [Math.min, Math.max].map((of) => of(...alone.map(({ loss }) => loss))) as [number, number];
  expect(selected.labels).toBe(alone[0]?.labels);
  expect(worst).toBeGreaterThan(1.05 * best); // there is something to choose
  expect(selected.loss).toBeLessThan(1.01 * best);
  expect(selected.calls).toBeLessThan(4 * (alone[0]?.calls ?? 0));
});
