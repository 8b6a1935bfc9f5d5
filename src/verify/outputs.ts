import { connectorOf } from '../core/connector.js';
import type { KindDefinition } from '../core/kind.js';
import type { Sink } from '../core/sink.js';
import type { Written, WrittenOutput } from '../core/written.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { sinksOf } from '../runtime/index.js';
import { subtopologiesOf, type Topology } from '../topology/index.js';
import { compareState } from './compare-state.js';
import { compareWritten } from './compare-written.js';
import type { Differences, Sample } from './differences.js';
import { isolatedTopology, isolationOf } from './isolated.js';
import type { Compared, ShownSample } from './report.js';
import type { Run, Verification } from './verification.js';

/** Shows what lies somewhere in one of the runs. */
type Show = (run: Run, at: string) => Promise<unknown>;

/**
 * Compares all results of the two runs of a verification: each sink, the dead letters and the state. If `ordered` is false, the
 * clock decided the order of the inputs, so only results that do not depend on it are compared.
 */
export async function compareOutputs(
  profile: OpenProfile,
  topology: Topology,
  verification: Verification,
  ordered: boolean,
): Promise<Compared[]> {
  const runs = {
    reference: isolatedTopology(topology, verification, 'reference'),
    faulted: isolatedTopology(topology, verification, 'faulted'),
  };
  const compared: Compared[] = [];
  for (const { id, sink } of sinksOf({ ...topology, metrics: [] })) {
    const read = async (run: Run): Promise<Written> => {
      const own = sinksOf(runs[run]).find((one) => one.id === id)?.sink as Sink<unknown>;
      const output = await outputOf(profile, own);
      return output.read(own, isolationOf(verification, run, id), ordered);
    };
    const written = { reference: await read('reference'), faulted: await read('faulted') };
    const show: Show = async (run, at) => (written[run].show ? written[run].show(at) : at);
    compared.push(await summed(id, calledOf(sink), written.reference.how, await compareWritten(written), show));
  }
  if (!ordered) return compared;
  const found = await compareState(profile, {
    reference: subtopologiesOf(runs.reference),
    faulted: subtopologiesOf(runs.faulted),
  });
  return [...compared, await summed('$state', 'every cell of every step', 'cells', found, async () => undefined)];
}

/** What the connector of a sink looks at its outputs with. */
export async function outputOf(profile: OpenProfile, { definition }: Sink<unknown>): Promise<WrittenOutput> {
  const kind = definition as KindDefinition;
  const connector = connectorOf(kind);
  const { written } = await profile.connect(connector);
  const output = written?.[kind.kind.slice(connector.name.length + 1)];
  if (output === undefined) throw new TypeError(`${kind.kind} has \`verify\`, and nothing that is \`written\``);
  return output;
}

const calledOf = ({ kind, options, definition }: Sink<unknown>): string =>
  definition?.verify && 'called' in definition.verify ? definition.verify.called(options as never) : kind;

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
