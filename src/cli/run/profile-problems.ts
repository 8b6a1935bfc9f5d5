import { MillraceError } from '../../core/errors.js';
import { type Profile, sourceDriver } from '../../core/profile.js';
import type { SchemaData } from '../../core/schema.js';
import { samePartitions, sinksOf } from '../../runtime/index.js';
import { unreadableBy } from '../../schema/compare/registered.js';
import { framingOf } from '../../schema/definition.js';
import { subtopologiesOf, type Topology } from '../../topology/index.js';
import type { CodedProblem } from './coded-problem.js';
import { keyProblems } from './key-problems.js';

/**
 * What a topology does not find on a profile as it needs it: topics that are missing or not co-partitioned, records whose keys are not
 * those of joins and windows, and schemas that cannot read what is registered. Nothing is changed.
 */
export async function profileProblems(
  topology: Topology,
  profile: Pick<Profile, 'name' | 'sources' | 'driver' | 'schemas'>,
): Promise<CodedProblem[]> {
  const problems: CodedProblem[] = [];
  for (const subtopology of subtopologiesOf(topology)) {
    const found = await inputProblems(subtopology, profile);
    problems.push(...(found.length > 0 ? found : await keyProblems(subtopology, profile)));
  }
  for (const { where, schema, topic } of schemasOf(topology)) {
    await noted(problems, where, async () => {
      const reasons = await unreadableBy(schema, profile.schemas, topic);
      if (reasons.length === 0) return;
      const message = `its schema cannot read what is registered: ${reasons.join('; ')}`;
      throw new MillraceError('schema', message, {
        hint: `take the fields and types of the registered schema, give fields that it lacks a default, or use another topic`,
      });
    });
  }
  return problems;
}

/** Inputs between sub-topologies, and those that their own driver creates, may be missing before the first run. */
async function inputProblems(
  subtopology: Topology,
  profile: Pick<Profile, 'name' | 'sources' | 'driver'>,
): Promise<CodedProblem[]> {
  const problems: CodedProblem[] = [];
  const counts: { id: string; topic: string; partitions: number }[] = [];
  for (const { id, source } of subtopology.sources) {
    if (source.definition?.readsLog !== true) continue;
    await noted(problems, id, async () => {
      const driver = await sourceDriver(profile, source, id);
      if (driver.setUp) return;
      const partitions = await driver.partitions(source);
      if (!source.global) counts.push({ id, topic: source.topic, partitions });
    });
  }
  if (counts.length > 1) await noted(problems, subtopology.name, async () => void samePartitions(subtopology, counts));
  return problems;
}

/** Adds what a look at the profile throws; errors of other kinds pass. */
async function noted(problems: CodedProblem[], id: string, look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const { code, message, where, hint = '' } = error;
    problems.push({ code, where: code === 'config' && where !== undefined ? where : id, message, hint });
  }
}

/** Whether a schema of the topology is one of the registry. */
export const needsRegistry = (topology: Topology): boolean =>
  schemasOf(topology).some(({ schema }) => framingOf(schema) === 'registry');

/** The schemas of what is read from topics and written to them. */
function schemasOf(topology: Topology): { where: string; schema: SchemaData; topic: string | undefined }[] {
  const sources = topology.sources.map(({ id, source: { schema, topic, definition } }) => {
    return { where: id, schema, topic: definition?.readsLog ? topic : undefined };
  });
  const sinks = subtopologiesOf(topology).flatMap((subtopology) =>
    sinksOf(subtopology).flatMap(({ id, sink }) => {
      const { schema, topic } = sink.options as { readonly schema?: SchemaData; readonly topic?: string };
      return schema === undefined || topic === undefined ? [] : [{ where: id, schema, topic }];
    }),
  );
  return [...sources, ...sinks];
}
