import { EARLIEST } from '../../core/checkpoint.js';
import { partitionOf } from '../../core/partition.js';
import { type Profile, sourceDriver } from '../../core/profile.js';
import type { RawRecord } from '../../core/record.js';
import type { Source, SourceDriver } from '../../core/source.js';
import { openDecoder, type WireDecoder } from '../../schema/index.js';
import { globalNodes, inputName, type SourceNode, type StepNode, type Topology } from '../../topology/index.js';
import type { CodedProblem } from './coded-problem.js';

/** Steps that give the values of their first input, some with more fields, with the key of their records. */
const PASSING: ReadonlySet<string> = new Set([
  ...['dedupe', 'filter', 'peek', 'throttle', 'validate', 'table'],
  ...['featurize', 'infer', 'learn'],
]);

/** Inputs that are matched with the main one: both may also lie by a third key, such as that of a customer. */
const MATCHED: ReadonlySet<string> = new Set(['labels', 'outcomes']);

const isMatched = (step: StepNode): boolean => MATCHED.has(inputName(step, 1));

const RECORDS_MAX = 50;
const PARTITIONS_MAX = 4;
const POLLS_MAX = 10;
/** Fewer records say nothing. */
const RECORDS_MIN = 10;

type LookedAt = Pick<Profile, 'name' | 'sources' | 'driver' | 'schemas'>;

/** How the records of an input lie: in the partitions of their keys, by the rule of another client, or by another key. */
type Placing = 'by key' | 'by another rule' | 'by another key' | 'unknown';

/**
 * Steps of a sub-topology, such as joins, windows and learners, whose records with equal keys would not meet, as far as the first
 * records of its topics show: a topic has another key than the step, or the partitioner of another client.
 */
export async function keyProblems(topology: Topology, profile: LookedAt): Promise<CodedProblem[]> {
  const problems: CodedProblem[] = [];
  const global = globalNodes(topology);
  for (const step of topology.steps) {
    // Every task has all rows of a global table.
    if (step.inputs.some(({ from }) => global.has(from))) continue;
    const inputs: { readonly node: SourceNode; readonly placing: Placing }[] = [];
    for (const [index, key] of step.keys.entries()) {
      const node = sourceBefore(topology, step.inputs[index]?.from, key === undefined);
      if (node !== undefined) inputs.push({ node, placing: await placingOf(node, key, topology.name, profile) });
    }
    const byKey = inputs.find(({ placing }) => placing === 'by key');
    // The key of a repartition is not known to be that of the step.
    const needsKey = !isMatched(step) || (byKey && !byKey.node.source.hasWatermarkMarkers);
    for (const { node, placing } of inputs) {
      if (placing === 'by another key' && needsKey) problems.push(anotherKey(step, node));
      // Several topics that another client partitions meet all the same.
      if (placing === 'by another rule' && byKey) problems.push(anotherRule(step, node, byKey.node));
    }
  }
  return problems;
}

const GLOBAL = '; a small table can be read by kafka.globalTableSource instead';

const anotherKey = (step: StepNode, { source: { topic } }: SourceNode): CodedProblem => ({
  code: 'config',
  where: step.id,
  message: `equal keys of this ${step.kind} lie in several partitions of ${topic}, which has another key`,
  hint: `send the stream through .repartition('by-key', { key, schema }) with the key of ${step.id} first${step.keys.length > 1 && !isMatched(step) ? GLOBAL : ''}`,
});

const anotherRule = ({ id }: StepNode, { source: { topic } }: SourceNode, other: SourceNode): CodedProblem => ({
  code: 'config',
  where: id,
  message: `${topic} is partitioned by another rule than ${other.source.topic}, so equal keys lie in different partitions`,
  hint: `set the partitioner of its producers to murmur2 (librdkafka: partitioner=murmur2_random) and write it anew, or send it through .repartition(...) too${GLOBAL}`,
});

/** The source whose records reach a step with their values and keys as they are. */
function sourceBefore(topology: Topology, from: string | undefined, byRecordKey: boolean): SourceNode | undefined {
  const source = topology.sources.find(({ id }) => id === from);
  if (source) return source;
  const step = topology.steps.find(({ id }) => id === from);
  if (!step || !PASSING.has(step.kind) || (step.kind === 'table' && !byRecordKey)) return undefined;
  return sourceBefore(topology, step.inputs[0]?.from, byRecordKey);
}

async function placingOf(
  node: SourceNode,
  keyOf: StepNode['keys'][number],
  topology: string,
  profile: LookedAt,
): Promise<Placing> {
  const { id, source } = node;
  if (source.hasWatermarkMarkers) return 'by key'; // a repartition
  const driver = await sourceDriver(profile, source, id);
  if (source.definition?.readsLog !== true || driver.setUp) return 'unknown';
  const partitions = await driver.partitions(source);
  if (partitions === 1) return 'unknown';
  const decoder = await openDecoder<unknown>(source.schema, profile.schemas);
  const counts = { all: 0, placed: 0, otherKey: 0 };
  for (let partition = 0; partition < Math.min(partitions, PARTITIONS_MAX); partition++) {
    const records = await firstRecords(driver, source, { topology, partition, step: id });
    await decoder.prepare(records);
    for (const { key, value } of records) {
      const wanted = keyOf === undefined ? key : value && keyIn(value, decoder, keyOf);
      if (!wanted) continue;
      counts.all += 1;
      if (partitionOf(wanted, partitions) === partition) counts.placed += 1;
      if (key === null || !Buffer.from(wanted).equals(key)) counts.otherKey += 1;
    }
  }
  if (counts.all < RECORDS_MIN) return 'unknown';
  // By chance one of `partitions` lies where it should.
  if (counts.placed > counts.all * 0.9) return 'by key';
  return counts.otherKey > counts.all / 2 ? 'by another key' : 'by another rule';
}

async function firstRecords(
  driver: SourceDriver,
  source: Source<unknown>,
  { topology, partition, step }: { readonly topology: string; readonly partition: number; readonly step: string },
): Promise<readonly RawRecord[]> {
  const opening = { task: { topology, partition }, partition, offset: EARLIEST, bounded: true, step };
  const reader = await driver.open(source, opening);
  const found: RawRecord[] = [];
  try {
    for (let polls = 0; polls < POLLS_MAX && found.length < RECORDS_MAX; polls++) {
      const { records, ended } = await reader.poll(RECORDS_MAX - found.length);
      found.push(...records);
      if (ended) break;
    }
  } finally {
    await reader.close();
  }
  return found;
}

/** The bytes of a value's key; nothing of a value that does not decode, or has none: a run makes it a dead letter. */
function keyIn(
  value: Uint8Array,
  decoder: WireDecoder<unknown>,
  keyOf: (value: never) => unknown,
): Uint8Array | undefined {
  try {
    const key = keyOf(decoder.decode(value) as never);
    return typeof key === 'string' || typeof key === 'number' ? Buffer.from(String(key)) : undefined;
  } catch {
    return undefined;
  }
}
