import type { Command } from 'commander';
import type { ClickHouse } from '../../../connectors/clickhouse/open.js';
import type { OpenProfile } from '../../profiles/profiles.js';
import { counted } from '../../util/counted.js';
import { exitCodes } from '../../util/terminal.js';
import { textTable } from '../../util/text-table.js';
import { type CommandContext, command, group, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';

interface Flags {
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace features`: one definition of features for stream, training and serving, and proof that it is one. */
export function featuresCommand(context: CommandContext): Command {
  return group('features', 'Shows feature views, exports training sets, backfills and audits the feature store.', [
    'millrace features list topologies/flight-features.ts',
    'millrace features export topologies/flight-features.ts --table flight_features --labels "SELECT ..." --output train.parquet',
    'millrace features audit topologies/flight-features.ts --table flight_features --predictions "SELECT ..."',
  ])
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(exportCommand(context))
    .addCommand(auditCommand(context))
    .addCommand(backfillCommand(context));
}

function listCommand({ terminal, act }: CommandContext): Command {
  return command('list', 'Lists the feature views that files export.', [
    'millrace features list topologies/flight-features.ts',
  ])
    .argument('<files...>', 'files that export feature views')
    .action((files: string[], flags: Flags) =>
      act(flags, async () => {
        const [{ summaryOf, views }, { allExported }] = await loaders();
        const found = (await Promise.all(files.map((file) => allExported(file, views)))).flat();
        const all = found.map(([, view]) => summaryOf(view));
        const rows = all.map(({ name, version, entity, ttl, owner, dense, hashed, hash }) => {
          return { name, version, entity, ttl, owner, dense: dense.length, hashed: hashed.length, hash };
        });
        terminal.out(flags.json ? `${JSON.stringify({ views: all })}\n` : textTable(rows));
        return exitCodes.ok;
      }),
    );
}

function showCommand({ terminal, act }: CommandContext): Command {
  return command('show', 'Shows one feature view.', ['millrace features show topologies/flight-features.ts'])
    .argument('<file>', 'file with the view, or FILE#name if it exports several')
    .action((file: string, flags: Flags) =>
      act(flags, async () => {
        const [{ summaryOf, summaryText, views }, { loadExported }] = await loaders();
        const summary = summaryOf(await loadExported(file, views));
        terminal.out(flags.json ? `${JSON.stringify(summary)}\n` : summaryText(summary));
        return exitCodes.ok;
      }),
    );
}

interface ExportFlags extends Flags {
  readonly table: string;
  readonly labels: string;
  readonly output: string;
}

function exportCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command(
    'export',
    'Writes a training set: labels with the features that were known at the time of each label.',
    [
      'millrace features export views.ts --table flight_features --output train.parquet \\\n' +
        '      --labels "SELECT flightId AS entity, departedAt AS time, delayMinutes >= 15 AS late FROM labels"',
    ],
  )
    .argument('<file>', 'file with the view, or FILE#name if it exports several')
    .requiredOption('--table <name>', 'the table with the rows of the view')
    .requiredOption('--labels <sql>', 'a query with the columns entity and time, and the labels')
    .requiredOption('--output <file>', 'the Parquet file to write')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((file: string, flags: ExportFlags) =>
      act(flags, async () => {
        const view = await loadView(file);
        const { exportTrainingSet } = await import('../../feature-store/training-set.js');
        const done = await onTables(flags, (tables) => exportTrainingSet(tables, { view, ...flags }));
        const text = `${done.file}: ${counted(done.rows, 'row')}, ${done.withoutFeatures} of them without features\n`;
        terminal.out(flags.json ? `${JSON.stringify(done)}\n` : text);
        return exitCodes.ok;
      }),
    );
}

interface AuditFlags extends Flags {
  readonly table: string;
  readonly predictions: string;
}

function auditCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('audit', 'Compares logged predictions with the feature store; exits with 1 if any differs.', [
    'millrace features audit views.ts --table flight_features \\\n' +
      '      --predictions "SELECT flightId AS entity, departedAt AS time, featuresDigest AS digest FROM predictions"',
  ])
    .argument('<file>', 'file with the view, or FILE#name if it exports several')
    .requiredOption('--table <name>', 'the table with the rows of the view')
    .requiredOption('--predictions <sql>', 'a query with the columns entity, time and digest')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((file: string, flags: AuditFlags) =>
      act(flags, async () => {
        const view = await loadView(file);
        const { audit } = await import('../../feature-store/audit.js');
        const found = await onTables(flags, (tables) => audit(tables, { view, ...flags }));
        const { predictions, equal, missing, stale, different, samples } = found;
        const text = `${predictions} predictions: ${equal} equal, ${different} different, ${missing} missing, ${stale} stale\n`;
        terminal.out(flags.json ? `${JSON.stringify(found)}\n` : text + (samples.length > 0 ? textTable(samples) : ''));
        return equal === predictions ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

interface BackfillFlags extends Flags {
  readonly step: string;
  readonly sinks?: string;
}

function backfillCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('backfill', 'Computes the state of a new feature step over the history of a stopped topology.', [
    'millrace features backfill topologies/flight-delays.ts --step features',
  ])
    .argument('<file>', 'the new topology file, or FILE#name if it exports several')
    .requiredOption('--step <id>', 'the step whose state is computed')
    .option('--sinks <ids>', 'comma-separated sinks that also get the history (default: its feature tables)')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((file: string, flags: BackfillFlags) =>
      act(flags, async () => {
        const topology = await loadTopology(file);
        const { backfill } = await import('../../feature-store/backfill.js');
        const onWarning = (message: string) => terminal.err(`warning: ${message}\n`);
        const { step, sinks } = flags;
        const done = await onProfile(flags, (profile) =>
          backfill(profile, topology, { step, sinks: sinks?.split(','), onWarning }),
        );
        const text = `${step}: filled from ${counted(done.records, 'record')}; ${topology.name} continues where it stopped\n`;
        terminal.out(flags.json ? `${JSON.stringify(done)}\n` : text);
        return exitCodes.ok;
      }),
    );
}

// Loaded by the command that runs, so that the others start at once.
const loaders = () => Promise.all([import('../load/feature-views.js'), import('../load/load-exported.js')]);

async function loadView(file: string) {
  const [{ views }, { loadExported }] = await loaders();
  return loadExported(file, views);
}

async function onProfile<T>({ profile, data }: Flags, work: (profile: OpenProfile) => Promise<T>): Promise<T> {
  const { openProfile } = await import('../../profiles/profiles.js');
  const opened = await openProfile(await readConfig({ profile, data }), { besideOwner: true });
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

const onTables = <T>(flags: Flags, work: (tables: ClickHouse) => Promise<T>): Promise<T> =>
  onProfile(flags, async (profile) => {
    const { definition } = await import('../../../connectors/clickhouse/definition.js');
    return work((await profile.connect(definition)).tables);
  });
