import type { WriteFiles } from '../../connectors/file/sink.js';
import type { TableOptions as RowsOptions } from '../../connectors/postgres/index.js';
import type { Sink } from '../core/sink.js';
import type { TableSinkOptions, TopicSinkOptions, UpsertTableOptions } from '../core/sink-options.js';
import type { VerificationProfile } from '../profiles/profiles.js';
import { json, openDecoder } from '../schema/index.js';
import { readPartition } from '../topics/read-topic.js';
import { shown } from '../topics/tail.js';
import { subtopologiesOf, type Topology } from '../topology/index.js';
import { compareFiles } from './compare-files.js';
import { compareKeys } from './compare-keys.js';
import { compareRows } from './compare-rows.js';
import { compareState } from './compare-state.js';
import { compareTables } from './compare-tables.js';
import { compareTopics } from './compare-topics.js';
import type { Differences, Sample } from './differences.js';
import { isolatedTopology, isSent } from './isolated.js';
import type { Compared, ShownSample } from './report.js';
import { namesOf, type Run, type Verification, type VerificationNames } from './verification.js';

/** Shows what lies somewhere in one of the runs. */
type Show = (run: Run, at: string) => Promise<unknown>;

/**
 * Compares everything that the two runs of a verification left: each sink, the dead letters and the state. `ordered` false: clocks
 * decided the order of inputs, so that only what does not depend on it is compared.
 */
export async function compareOutputs(
  profile: VerificationProfile,
  topology: Topology,
  verification: Verification,
  ordered: boolean,
): Promise<Compared[]> {
  const compared: Compared[] = [];
  for (const { id, sink } of [...topology.sinks, { id: '$dead-letters', sink: topology.deadLetters }]) {
    compared.push(await compareSink(profile, verification, id, sink as Sink<unknown>, ordered));
  }
  if (!ordered) return compared;
  const subtopologies = (run: Run) => subtopologiesOf(isolatedTopology(topology, verification, run));
  const found = await compareState(profile, {
    reference: subtopologies('reference'),
    faulted: subtopologies('faulted'),
  });
  return [...compared, await summed('$state', 'every cell of every step', 'cells', found, async () => undefined)];
}

async function compareSink(
  profile: VerificationProfile,
  verification: Verification,
  id: string,
  sink: Sink<unknown>,
  ordered: boolean,
): Promise<Compared> {
  const names = { reference: namesOf(verification.id, 'reference'), faulted: namesOf(verification.id, 'faulted') };
  switch (sink.kind) {
    case 'redis.hashSink':
    case 'redis.upsertSink': {
      const found = await compareKeys(profile.hashes, prefixesOf(names, id), ordered);
      return summed(id, 'hashes', ordered ? 'by key' : 'keys only', found, asJson);
    }
    case 'redis.stringSink':
    case 'redis.jsonSink':
    case 'redis.setSink':
    case 'redis.sortedSetSink':
    case 'redis.counterSink':
    case 'redis.streamSink': {
      const found = await compareKeys(profile.structures, prefixesOf(names, id), ordered);
      return summed(id, `${sink.kind.slice('redis.'.length)} keys`, ordered ? 'by key' : 'keys only', found, asJson);
    }
    case 'file.sink':
    case 's3.sink': {
      const { folder, format } = sink.options as WriteFiles;
      const [written, of] =
        sink.kind === 'file.sink'
          ? [profile.files, (run: Run) => names[run].folder(id)]
          : [profile.objects, (run: Run) => names[run].objects(folder, id)];
      const folders = { reference: of('reference'), faulted: of('faulted') };
      const found = await compareFiles(written, folders, format, ordered);
      return summed(id, folder, ordered ? 'in order' : 'in any order', found, asText);
    }
    case 'postgres.tableSink': {
      const { table, key } = sink.options as RowsOptions;
      const tables = { reference: names.reference.rows(table), faulted: names.faulted.rows(table) };
      // Which of several rows of a key came last is decided by clocks then.
      const keysOnly = !ordered && key.length > 0;
      const found = await compareRows(profile.postgres, tables, keysOnly ? key : undefined);
      return summed(id, table, keysOnly ? 'keys only' : 'in any order', found, asJson);
    }
    case 'clickhouse.tableSink': {
      const options = sink.options as TableSinkOptions;
      const table = { options, step: id, exactlyOnce: sink.deferred !== undefined };
      const found = await compareTables(profile, verification.id, table, ordered);
      return summed(id, options.table, ordered ? 'by record' : 'in any order', found, asJson);
    }
    case 'clickhouse.upsertSink': {
      // Rows of one key replace each other: what counts is what is there in the end.
      const options = sink.options as UpsertTableOptions;
      const table = { options, step: id, exactlyOnce: false };
      const found = await compareTables(profile, verification.id, table, false);
      return summed(id, options.table, 'in any order', found, asJson);
    }
    default: {
      const { topic, schema = json<unknown>({ subject: `${id}-value` }) } = isSent(sink.kind)
        ? { topic: id, schema: json<unknown>() }
        : (sink.options as Partial<TopicSinkOptions> & { readonly topic: string });
      const topics = { reference: names.reference.topic(topic), faulted: names.faulted.topic(topic) };
      const found = await compareTopics(profile, topics, ordered);
      const decoder = await openDecoder(schema, profile.schemas);
      const show: Show = async (run, at) => {
        const [partition = 0, offset = 0] = at.split('/').map(Number);
        for await (const record of readPartition(profile, topics[run], partition, offset)) {
          if (record.offset === offset) return withoutPlace(await shown({ partition, record }, decoder));
        }
        return undefined;
      };
      return summed(id, isSent(sink.kind) ? sink.kind : topic, ordered ? 'in order' : 'in any order', found, show);
    }
  }
}

const prefixesOf = (names: Record<Run, VerificationNames>, id: string) => ({
  reference: `${names.reference.keys}${id}:`,
  faulted: `${names.faulted.keys}${id}:`,
});

const asText: Show = async (_run, at) => at;
const asJson: Show = async (_run, at) => JSON.parse(at);

/** Of a record only what it says: where it lies has no meaning outside of the verification. */
const withoutPlace = ({ key, value }: { readonly key: unknown; readonly value: unknown }) => ({ key, value });

async function summed(
  what: string,
  where: string,
  how: Compared['how'],
  { compared, counts, samples }: Differences,
  show: Show,
): Promise<Compared> {
  const showOne = async ({ kind, id, reference, faulted }: Sample): Promise<ShownSample> => ({
    kind,
    record: id,
    ...(reference === undefined ? {} : { reference: await show('reference', reference) }),
    ...(faulted === undefined ? {} : { faulted: await show('faulted', faulted) }),
  });
  const cases: ShownSample[] = [];
  for (const sample of samples) cases.push(await showOne(sample));
  return { what, where, how, entries: compared, counts, samples: cases };
}
