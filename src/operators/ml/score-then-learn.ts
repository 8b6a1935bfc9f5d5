import { stateful } from '../../core/define.js';
import { type Duration, formatDuration, givenDuration, hours } from '../../core/duration.js';
import { credibleJump, eventClock, observe } from '../../core/event-clock.js';
import type { FeatureVector, Learner, LearnerOutput } from '../../core/learner.js';
import type { Adds, Free, Operator, Problem, Settings, StepContext } from '../../core/operator.js';
import type { Cell, CellSpecs } from '../../core/state.js';
import { turnWindow } from '../../ml/evaluation/event-window.js';
import type { Measure } from '../../ml/evaluation/judges.js';
import type { FeatureView } from '../../ml/features/index.js';
import { modelCells, openModel } from '../../ml/model.js';
import { type Float64Cell, float64Cell, type ValueCell, valueCell } from '../../state/index.js';
import { fieldAdder } from '../../util/literals.js';
import { optionProblems, requireOptions } from '../options.js';
import { hostCells, hostModel, hostPlace, type ModelHosting } from './model-host.js';

/** What operators take whose learner needs no labels. */
export interface ScoreThenLearnOptions<As extends string> {
  /** Name of the field that is added. */
  readonly as: As;
  /** The view that made `features`: the model's size follows from it. */
  readonly view: FeatureView;
  /** Event time between two rows of metrics (default: one hour). */
  readonly metricsInterval?: Duration;
  /** Records learnt between two model versions (default: 1,000). */
  readonly versionEveryRecords?: number;
  /** The longest that a restore may apply updates again that the model's last snapshot lacks (default: 4 s). */
  readonly replayMax?: Duration;
}

/** What becomes of one prediction. */
export interface Reading {
  /** What the record gets. */
  readonly shown: unknown;
  /** Whether the model learns from the record. */
  readonly learns: boolean;
  /** What the sums of the window rise by; none for a record that is not measured. */
  readonly sums?: readonly number[];
}

/** How an operator reads the predictions of its learner. */
export interface Reader<P> {
  /** `isWarm`: the model has learnt what it needs to say anything. */
  read(prediction: P, isWarm: boolean, modelVersion: string): Reading;
  /** What is measured of a window, from the sums over its records. */
  measures(records: number, sums: Float64Array): readonly Measure[];
}

/** An operator that scores each record by a learner and then learns from it. */
export interface ScoreThenLearn<P, As extends string> {
  readonly kind: string;
  readonly learner: Learner<unknown, P>;
  /** What the learner must give, and such a learner. */
  readonly needs: { readonly output: LearnerOutput; readonly such: string };
  readonly options: ScoreThenLearnOptions<As>;
  readonly settings?: Settings;
  readonly problems?: readonly Problem[];
  readonly cells?: CellSpecs;
  /** Sums kept a window. */
  readonly sums: number;
  open(opened: Readonly<Record<string, Cell>>, context: StepContext): Reader<P>;
}

/** Begins a window: when it began, the records in it. */
const HEAD = 2;

/** Defines such an operator. A prediction depends on no record after it, and a replay gives the same bits. */
export function scoreThenLearn<Row, const As extends string, P, Added>(
  definition: ScoreThenLearn<P, As>,
): Operator<Row & { readonly features: FeatureVector } & Free<As>, Adds<{ readonly [K in As]: Added }>> {
  const { kind, learner, options, settings, problems = [], cells, sums } = definition;
  requireOptions(kind, options);
  const { as, view, metricsInterval = hours(1), versionEveryRecords = 1_000, replayMax } = options;
  const hosting: ModelHosting = { view, updatesPerVersion: versionEveryRecords };
  const place = hostPlace(replayMax);
  return stateful<
    Row & { readonly features: FeatureVector } & Free<As>,
    Adds<{ readonly [K in As]: Added }>,
    CellSpecs
  >({
    kind,
    settings: {
      as,
      learner: learner.kind,
      ...learner.settings,
      view: view.name,
      viewHash: view.hash,
      ...settings,
      metricsInterval: formatDuration(metricsInterval),
      versionEveryRecords,
    },
    problems: [
      ...optionProblems(kind, options),
      ...problemsOf(definition, metricsInterval, versionEveryRecords),
      ...problems,
    ],
    cells: {
      ...hostCells(modelCells(learner, view.shape, place)),
      ...cells,
      clock: valueCell({ initial: eventClock() }),
      window: float64Cell({ size: HEAD + sums }),
    },
    open(opened, context) {
      const model = openModel(learner, view.shape, opened, { ...place, name: context.step });
      const host = hostModel(hosting, opened, context);
      const reader = definition.open(opened, context);
      const withRead = fieldAdder(as);
      const clock = opened.clock as ValueCell<ReturnType<typeof eventClock>>;
      const window = opened.window as Float64Cell;
      const jumpMs = credibleJump(metricsInterval);
      const { warmUp = 0 } = learner;
      const finish = (endMs: number, records: number): void => {
        const version = host.version();
        for (const [name, value, interval, weight = records] of reader.measures(records, window.values.subarray(HEAD)))
          context.measure(name, value, endMs, { version, interval, weight });
      };
      const bump = (at: number, by: number) => {
        window.values[at] = (window.values[at] as number) + by;
        window.touch(at);
      };
      return {
        onRecord(_input, value, emit, origin) {
          const time = clock.get();
          observe(time, origin.eventTimeMs, jumpMs);
          clock.set(time);
          turnWindow(window, metricsInterval, time.nowMs, finish);
          const { features } = value;
          host.predicts(features);
          const { shown, learns, sums } = reader.read(
            model.predictOne(features),
            host.learned() >= warmUp,
            host.version(),
          );
          if (sums) {
            bump(1, 1);
            for (const [i, sum] of sums.entries()) bump(HEAD + i, sum);
          }
          emit(withRead(value, shown));
          if (learns) host.learns(model.learnOne(features, undefined, 1, origin));
        },
      };
    },
  });
}

function problemsOf(
  { kind, learner, needs: { output, such } }: Pick<ScoreThenLearn<unknown, string>, 'kind' | 'learner' | 'needs'>,
  metricsInterval: number,
  versionEveryRecords: number,
): Problem[] {
  const problems: Problem[] = [];
  if (learner.output !== output)
    problems.push({
      message: `${learner.kind} gives '${learner.output}', and ${kind} needs '${output}'`,
      hint: `give ${kind} a learner such as ${such}`,
    });
  if (!(metricsInterval > 0))
    problems.push({
      message: `metricsInterval is ${givenDuration(metricsInterval)}`,
      hint: 'give it a positive duration, such as hours(1)',
    });
  if (!(versionEveryRecords >= 1))
    problems.push({ message: `versionEveryRecords is ${versionEveryRecords}`, hint: 'give it a number of records' });
  return problems;
}
