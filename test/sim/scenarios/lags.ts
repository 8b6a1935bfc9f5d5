import {
  type FeatureVector,
  type InferenceService,
  inferenceService,
  type ModelHandle,
  millis,
  type Operator,
  type Services,
} from '../../../src/core/index.js';
import { type Inferred, infer, map } from '../../../src/operators/index.js';
import { logOf, type Outcome, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { exactlyInTable } from './compare.js';

interface Event {
  readonly id: number;
  readonly timeMs: number;
}
interface Scored {
  readonly id: number;
  readonly risk: Inferred;
}

/** A dear model and a cheap one, which answer with other numbers, after a while. */
const models = (wait: () => Promise<void>): InferenceService => ({
  open: async () => {
    const handle: Pick<ModelHandle, 'inputs' | 'lengths' | 'outputSize' | 'run' | 'flush'> = {
      ...{ inputs: [{ name: 'x', type: 'float32', shape: [1] }], lengths: [1], outputSize: 1, flush: () => {} },
      async run(rows, fill, _bucketOf, urgency) {
        const numbers = new Float32Array(rows);
        for (let row = 0; row < rows; row++) fill(row, [numbers], row);
        await wait();
        const isBehind = urgency?.isBehind === true;
        const ofAll = <T>(value: T) => new Array<T>(rows).fill(value);
        return {
          scores: numbers.map((number) => (isBehind ? -number : number)),
          failures: new Map(),
          versions: ofAll(isBehind ? 'cheap' : 'dear'),
          degraded: ofAll(isBehind ? 'cheap.onnx' : null),
          ...(isBehind && { reasons: ofAll('behind' as const) }),
        };
      },
    };
    return handle as ModelHandle;
  },
  close: async () => {},
});

function withFeatures({ id }: Event): { readonly id: number; readonly features: FeatureVector } {
  const dense = Float32Array.of(id + 1);
  return { id, features: { view: 'v', hash: 'h', dense, indices: new Uint32Array(), values: new Float32Array() } };
}

/** `infer` with these models in place of those of the process. */
function withModels<In, Out>(operator: Operator<In, Out>, inference: InferenceService): Operator<In, Out> {
  const { shape } = operator;
  if (shape.shape !== 'batched') throw new Error('infer is a batched operator');
  const open: typeof shape.open = (context, services) => {
    const own: Services = {
      ...services,
      get: (asked) => (asked.name === inferenceService.name ? inference : services.get(asked)) as never,
    };
    return shape.open(context, own);
  };
  return { ...operator, shape: { ...shape, open } };
}

/**
 * A step that asks a cheap model while event time is behind the clock: which records that are depends on the clocks of the processes,
 * which differ, and on a replay. Which model answered is settled by the checkpoints; all sinks must tell of the same one.
 */
export const lags: Scenario = {
  name: 'lags',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => {
      let timeMs = 1_000;
      return Array.from({ length: Math.floor(records / partitions) }, (_, id): Event => {
        timeMs += random.int(6);
        return { id, timeMs };
      });
    });
    const log = {
      events: inputs.map((events) =>
        logOf(
          events.map((value) => ({ value, timestampMs: value.timeMs })),
          random,
        ),
      ),
    };
    const lagMax = millis(random.pick([200, 1_000, 3_000]));
    return {
      log,
      topology: (wait) =>
        topology('lags', { deadLetters: simSink('transactional') }, (t) => {
          const options = {
            model: 'dear.onnx',
            as: 'risk',
            batchMax: 8,
            waitMax: millis(1),
            providers: ['cpu'],
          } as const;
          const step = infer({ ...options, lagMax, fallback: [{ model: 'cheap.onnx' }] });
          const scored = t
            .source(
              'events',
              simSource<Event>('events', ({ timeMs }) => timeMs),
            )
            .via('features', map(withFeatures))
            .via('risk', withModels(step, models(wait)))
            .via(
              'row',
              map(({ id, risk }) => ({ id, risk })),
            );
          scored.to('out', simSink('transactional'));
          scored.to('rows', simSink('table'));
          scored.to('later', simSink('deferred'));
        }),
      check: (task, outcome) => check(inputs[task] ?? [], outcome),
    };
  },
};

function check(events: readonly Event[], outcome: Outcome): void {
  const { rows } = outcome.output('out');
  if (rows.length !== events.length) throw new Error(`${rows.length} of ${events.length} records came out`);
  for (const [place, { value }] of rows.entries()) {
    const { id, risk } = value as Scored;
    const isCheap = risk.degraded === 'cheap.onnx';
    if (
      id !== events[place]?.id ||
      risk.score !== (isCheap ? -(id + 1) : id + 1) ||
      (risk.reason === 'behind') !== isCheap
    )
      throw new Error(`place ${place}: ${JSON.stringify(value)}`);
  }
  exactlyInTable('rows', outcome.output('rows'), rows);
  exactlyInTable('later', outcome.output('later'), rows);
}
