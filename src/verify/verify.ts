import { definition as kafka } from '../../connectors/kafka/definition.js';
import type { TopicSinkOptions } from '../../connectors/kafka/topic-options.js';
import { MillraceError, messageOf } from '../core/errors.js';
import { type OpenProfile, openProfile } from '../profiles/profiles.js';
import type { Config } from '../profiles/settings.js';
import { isTopic } from '../topics/positions.js';
import type { Start } from '../topics/read-topic.js';
import { check, type SourceNode, type Topology } from '../topology/index.js';
import { counted } from '../util/counted.js';
import { kinds } from './differences.js';
import { type InputFiles, loadInput, sliceOf } from './inputs.js';
import { isolatedTopology, isSent } from './isolated.js';
import { compareOutputs } from './outputs.js';
import { type ProcessesDone, runProcesses } from './processes.js';
import type { VerifyReport } from './report.js';
import { prepareSandbox, removeArtifacts } from './sandbox.js';
import { newVerificationId, type Run, recordsOf, type Slice, type Verification } from './verification.js';
import { registersNothing, type VerificationWork } from './worker.js';

export interface VerifyOptions {
  readonly topology: Topology;
  readonly config: Config;
  readonly files: InputFiles;
  /** Of topics that are filled from files. */
  readonly partitions: number;
  readonly keyField: string | undefined;
  readonly timeField: string | undefined;
  /** Where topics that are there already are read from. */
  readonly from: Start;
  readonly kills: number;
  /** How long the run with kills is made to take, about. */
  readonly minutes: number;
  readonly processes: number;
  /** Both runs emit the last watermark at their end, so that all open windows close and are compared as outputs. */
  readonly drain: boolean;
  /** Leave outputs and state of both runs where they are. */
  readonly keep: boolean;
  /** Arguments of `millrace` for a process that does this work, on a profile with this data folder. */
  argumentsOf(work: VerificationWork, data: string): readonly string[];
  onProgress(text: string): void;
  onWarning(message: string): void;
  /** Calls `stop` where the user wants no more; returns what stops listening. */
  onStop(stop: () => void): () => void;
}

/**
 * Runs a topology twice over the same records, once without faults and once while its processes are killed repeatedly, and compares
 * all results. Both runs have their own outputs, state and groups, which are removed at the end.
 *
 * @throws MillraceError `config` for a topology or an input that cannot be verified; the error of a process that failed.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const { topology, files, keep, onProgress, onWarning } = options;
  const problems = check(topology);
  if (problems[0]) {
    throw new MillraceError(
      'config',
      `the topology has ${counted(problems.length, 'problem')}, such as: ${problems[0].message}`,
      {
        where: problems[0].where,
        hint: '`millrace check` lists them',
      },
    );
  }
  const other = topology.sources.find((node) => !isTopic(node.source) && !files.has(node.id));
  if (other) throw noTopic(other);
  const id = newVerificationId();
  const inputs = Object.fromEntries([...files.keys()].map((source) => [source, `${id}.input.${source}`]));
  const empty: Verification = { id, inputs, slices: {}, partitions: {} };
  isolatedTopology(topology, empty, 'reference'); // throws before anything is written
  const sandbox = await prepareSandbox(
    options.config,
    topology.sources.some((source) => !files.has(source.id)),
  );
  const there = { ...options, config: sandbox.config };
  try {
    const verification = await prepareVerification(there, empty);
    return await runVerification(there, verification);
  } finally {
    if (keep)
      onProgress(
        sandbox.folder === undefined ? `everything whose name begins with ${id} is kept` : `kept in ${sandbox.folder}`,
      );
    else {
      const left = await removeArtifacts(sandbox, topology, empty).catch((error: unknown) => [messageOf(error)]);
      for (const what of left) onWarning(`could not be taken away: ${what}`);
    }
  }
}

const noTopic = ({ id, source: { kind } }: SourceNode): MillraceError =>
  new MillraceError('config', `both runs must read the same, and ${kind} has no topic that holds it`, {
    where: id,
    hint: `give it as JSON lines instead: --input ${id}=FILE`,
  });

/** Writes the inputs that come from files, and settles what of each topic both runs read. */
async function prepareVerification(options: VerifyOptions, empty: Verification): Promise<Verification> {
  const { topology, config, files, partitions, keyField, timeField, from } = options;
  const profile = await openProfile(config);
  try {
    const slices: Record<string, Slice> = {};
    for (const node of topology.sources) {
      const { id, source } = node;
      const file = files.get(id);
      const topic = empty.inputs[id] ?? source.topic;
      if (file !== undefined) await loadInput(profile, node, { topic, file, partitions, keyField, timeField });
      slices[topic] = await sliceOf(profile, topic, file === undefined ? from : 'earliest');
    }
    const outputs = topology.sinks.flatMap(({ sink }) =>
      sink.connector === kafka.name ? [(sink.options as TopicSinkOptions).topic] : [],
    );
    const verification = { ...empty, slices, partitions: await partitionsOf(profile, outputs) };
    if (recordsOf(verification) > 0) return verification;
    throw new MillraceError('config', 'there is nothing to read', {
      where: topology.sources.map(({ source }) => source.topic).join(', '),
      hint: 'fill the topics, or give the input as a file: --input events.ndjson',
    });
  } finally {
    await profile.close();
  }
}

/** Of the topics that exist. */
async function partitionsOf(profile: OpenProfile, topics: readonly string[]): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const topic of topics) {
    try {
      found[topic] = (await profile.endOffsets(topic)).length;
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error; // it does not exist yet: the sink decides
    }
  }
  return found;
}

async function runVerification(options: VerifyOptions, verification: Verification): Promise<VerifyReport> {
  const { topology, config, kills, minutes, processes, drain, argumentsOf, onProgress, onWarning, onStop } = options;
  const records = recordsOf(verification);
  const run = (
    name: Run,
    more: { processes: number; kills: number; recordsPerSecondMax?: number },
  ): Promise<ProcessesDone> =>
    runProcesses({
      work: { verification, run: name, drain, recordsPerSecondMax: more.recordsPerSecondMax },
      config,
      topology: isolatedTopology(topology, verification, name).name,
      processes: more.processes,
      kills: more.kills,
      killEveryMs: (minutes * 60_000) / (more.kills + 1),
      argumentsOf: (work) => argumentsOf(work, config.data),
      onStop,
      onKill: onProgress,
      onWarning,
    });

  onProgress(`${verification.id}: ${counted(records, 'record')}, without faults`);
  const reference = await run('reference', { processes: 1, kills: 0 });
  onProgress(`without faults in ${reference.seconds.toFixed(1)} s; again, with kills`);
  const recordsPerSecondMax = Math.max(RATE_MIN, Math.ceil(records / (minutes * 60) / processes));
  const faulted = await run('faulted', { processes, kills, recordsPerSecondMax });
  onProgress('comparing');

  const { notes, ordered } = freedomsOf(topology);
  const profile = await openProfile(config, { registry: registersNothing });
  try {
    const compared = await compareOutputs(profile, topology, verification, ordered);
    const done = Object.values(faulted.killedAfter).reduce((sum, times) => sum + times, 0);
    return {
      topology: topology.name,
      profile: config.profile,
      verification: verification.id,
      right: compared.every(({ counts }) => kinds.every((kind) => counts[kind] === 0)),
      records,
      processes,
      kills: done,
      killedAfter: faulted.killedAfter,
      seconds: { reference: reference.seconds, faulted: faulted.seconds },
      compared,
      notes:
        done < kills
          ? [...notes, `the input ended after ${done} of ${kills} kills: --minutes makes it last longer`]
          : notes,
    };
  } finally {
    await profile.close();
  }
}

/** So that a round has at least one record. */
const RATE_MIN = 20;

interface Freedoms {
  /** Each task's outputs have one order. */
  readonly ordered: boolean;
  readonly notes: readonly string[];
}

/** The parts of a topology's output that depend on a clock, so that two runs may differ. */
function freedomsOf({ sources, steps, sinks, repartitions }: Topology): Freedoms {
  const waiting = sources.filter(({ source }) => source.idleTimeout !== undefined).map(({ id }) => id);
  const answering = steps.filter(({ shape }) => shape.shape === 'batched' && shape.nondeterministic === true);
  const ticking = steps.filter(({ shape }) => shape.shape === 'stateful' && shape.processingTimeInterval !== undefined);
  const asBags = 'outputs are compared in any order, state is not compared';
  const notes: string[] = [];
  if (waiting.length > 0) {
    notes.push(`with idleTimeout (${waiting.join(', ')}) the order of inputs depends on the clock: ${asBags}`);
  }
  if (repartitions.length > 0)
    notes.push(`after a repartition the records of several tasks are interleaved in any order: ${asBags}`);
  if (answering.length > 0) {
    const ids = answering.map(({ id }) => id).join(', ');
    notes.push(
      `the response of ${ids} may depend on the time and on the server: such differences are not caused by the kills`,
    );
  }
  for (const { id, sink } of sinks.filter(({ sink }) => isSent(sink))) {
    notes.push(`${id} sends nothing (${sink.kind}): its output is written to a topic and compared there`);
  }
  if (ticking.length > 0) {
    const ids = ticking.map(({ id }) => id).join(', ');
    notes.push(`${ids} uses processing time: ${asBags}, and differences in its output are not caused by the kills`);
  }
  return { ordered: waiting.length === 0 && ticking.length === 0 && repartitions.length === 0, notes };
}
