import { BEFORE_ALL_MS, MillraceError, type Origin, outputNames, type StepContext } from '../core/index.js';
import { inputName, type StepNode, type Topology, type Wire } from '../topology/index.js';

/** What comes to an input: these values, or what nobody knows without the state of the steps before. */
type KnownValues = readonly unknown[] | 'unknown';

/** A record as its source has read it. */
interface ReadRecord {
  readonly value: unknown;
  readonly origin: Origin;
}

/** Names of steps and sinks in a sentence. */
const NAMES_MAX = 20;
/** Values that a step makes of one, as far as they are followed. */
const VALUES_MAX = 100;

/** Steps that pass a record on as it is or not at all, and when not. Their functions are not called. */
const passing: ReadonlyMap<string, string> = new Map([
  ['peek', ''],
  ['dedupe', 'unless its key came before'],
  ['validate', 'unless it is a dead letter'],
  ['throttle', 'unless too many of its key came'],
]);
/** Functions in it may do more than compute. */
const RXJS = 'rx';

/** What a step does with values. */
type Outcome =
  | { readonly kind: 'passes'; readonly how: string; readonly outputs: readonly KnownValues[] }
  | { readonly kind: 'ends'; readonly how: string }
  | { readonly kind: 'unknown'; readonly outputs: readonly KnownValues[] };

/**
 * The way of a record from its source to the sinks, as a sentence. Steps without state depend on the record alone, so they are run again: what
 * they drop or reject is known. Behind a step whose result depends on its state, or comes from outside, only the possible way is known, and
 * so it is without the record.
 *
 * Memory: 100 values of each step.
 *
 * @example
 * wayOf(orders, 'orders', { value: { id: 'a', at: -1 }, origin }); // 'passes dedupe (unless its key came before); dropped by large (filter)'
 */
export function wayOf(topology: Topology, source: string, record?: ReadRecord): string {
  const at = new Map<string, KnownValues>([
    [placeOf({ from: source, output: 0 }), record === undefined ? 'unknown' : [record.value]],
  ]);
  const [passed, ended, then, others]: [string[], string[], string[], string[]] = [[], [], [], []];
  let isSure = true;
  const reach = (wire: Wire): KnownValues | undefined => {
    const repartition = topology.repartitions.find(({ id }) => id === wire.from);
    if (repartition === undefined) return at.get(placeOf(wire));
    return reach(repartition.input) && 'unknown'; // its schema may leave fields out
  };
  for (const step of topology.steps) {
    for (const [input, wire] of step.inputs.entries())
      if (input > 0 && reach(wire)) others.push(`${inputName(step, input)} of ${step.id}`);
    const [main] = step.inputs;
    const known = main && reach(main);
    if (known === undefined) continue;
    const outcome = outcomeOf(step, known, record?.origin, topology.name);
    if (outcome.kind === 'ends') {
      ended.push(outcome.how);
      continue;
    }
    if (outcome.kind === 'passes') passed.push(outcome.how === '' ? step.id : `${step.id} (${outcome.how})`);
    else then.push(step.id);
    isSure &&= outcome.kind === 'passes' && !passing.get(step.kind);
    for (const [output, next] of outcome.outputs.entries())
      if (next === 'unknown' || next.length > 0) at.set(placeOf({ from: step.id, output }), next);
  }
  const sinks = topology.sinks.flatMap(({ id, sink, input }) => (reach(input) ? [named(id, sink.kind)] : []));
  return [
    passed.length > 0 ? `passes ${listOf(passed)}` : '',
    ...ended,
    others.length > 0 ? `as ${listOf(others)}` : '',
    then.length > 0 ? `then ${listOf(then)}` : '',
    sinks.length > 0 ? `to ${listOf(sinks)}${isSure ? '' : ' unless a step drops it before'}` : '',
  ]
    .filter(Boolean)
    .join('; ');
}

const placeOf = ({ from, output }: Wire): string => `${from}\0${output}`;
const named = (id: string, kind: string): string => (id === kind ? id : `${id} (${kind})`);
const listOf = (names: readonly string[]): string =>
  [...names.slice(0, NAMES_MAX), ...(names.length > NAMES_MAX ? ['…'] : [])].join(', ');

function outcomeOf(step: StepNode, known: KnownValues, origin: Origin | undefined, topology: string): Outcome {
  const names = outputNames(step.shape) ?? [''];
  const unknown: Outcome = { kind: 'unknown', outputs: names.map((): KnownValues => 'unknown') };
  if (known === 'unknown' || origin === undefined) return unknown;
  const how = passing.get(step.kind);
  if (how !== undefined) return { kind: 'passes', how, outputs: [known] };
  const again = runAgain(step, names.length, known, origin, topology);
  if (again === undefined) return unknown;
  const { outputs, reasons } = again;
  if (outputs.some(({ length }) => length > 0)) {
    const taken = names.filter((name, i) => name !== '' && (outputs[i]?.length ?? 0) > 0);
    return { kind: 'passes', how: taken.length > 0 ? `to ${taken.join(', ')}` : '', outputs };
  }
  const [reason] = reasons;
  const dropped = `dropped by ${named(step.id, step.kind)}`;
  return { kind: 'ends', how: reason === undefined ? dropped : `dead letter of ${step.id}: ${reason}` };
}

/** What a step without state emits for values; `undefined` for other steps, and where it throws. */
function runAgain(
  { id, kind, shape }: StepNode,
  outputsCount: number,
  values: readonly unknown[],
  origin: Origin,
  topology: string,
): { readonly outputs: readonly unknown[][]; readonly reasons: readonly string[] } | undefined {
  if ((shape.shape !== 'transform' && shape.shape !== 'split') || kind === RXJS) return undefined;
  const outputs = Array.from({ length: outputsCount }, (): unknown[] => []);
  const reasons: string[] = [];
  const context: StepContext = {
    ...{ topology, step: id, task: origin.partition, watermarkMs: BEFORE_ALL_MS },
    counter: () => ({ add() {} }),
    measure() {},
    deadLetter: (reason) => void reasons.push(reason),
    fail(message) {
      throw new MillraceError('step', message, { where: id });
    },
  };
  const take = (output: number, value: unknown): void => {
    const own = outputs[output];
    if (own && own.length < VALUES_MAX) own.push(value);
  };
  try {
    if (shape.shape === 'split') {
      const logic = shape.open(context);
      for (const value of values) logic(value, take, origin);
    } else {
      const logic = shape.open(context);
      for (const value of values) logic(value, (out) => take(0, out), origin);
    }
    return { outputs, reasons };
  } catch {
    return undefined; // the task has stopped there, or will: its error says more
  }
}
