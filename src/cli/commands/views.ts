import type { Command } from 'commander';
import { definition as clickhouse } from '../../../connectors/clickhouse/definition.js';
import { MillraceError } from '../../core/errors.js';
import type { Config } from '../../profiles/settings.js';
import type { Topology } from '../../topology/index.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, group, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';

interface ViewsFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly print?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace views`: the questions that every topology is asked, as views of its tables of metrics. */
export function viewsCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  const creating = command(
    'create',
    'Creates views of the metrics of a topology in ClickHouse: measures by day, counters, dead letters, and records in and out of each step. Views of these names are replaced.',
    [
      'millrace views create payments.ts',
      'millrace views create payments.ts --print   # the statements, and changes nothing',
      'millrace query "SELECT * FROM metrics_dead_letters"',
    ],
  )
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .option('--print', 'print the statements, and run none')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((file: string, { profile, data, print, ...flags }: ViewsFlags) =>
      act(flags, async () => {
        const topology = await loadTopology(file);
        const { metricsViews } = await import('../../../connectors/clickhouse/metrics-views.js');
        const metrics = tablesOf(topology);
        const views = metrics.flatMap((table) => Object.entries(metricsViews(table)));
        const statements = views.map(([name, select]) => `CREATE OR REPLACE VIEW ${name} AS${select}`);
        if (!print) await create(await readConfig({ profile, data }, { topology }), metrics, statements);
        const created = views.map(([name]) => name);
        if (flags.json) terminal.out(`${JSON.stringify({ views: created, statements })}\n`);
        else
          terminal.out(print ? `${statements.join(';\n\n')};\n` : created.map((name) => `created ${name}\n`).join(''));
        return exitCodes.ok;
      }),
    );
  return group('views', 'Creates views of what a topology has measured and counted.', [
    'millrace views create payments.ts',
  ]).addCommand(creating);
}

/** The tables of metrics that the topology writes. */
function tablesOf({ name, metrics }: Topology): readonly string[] {
  const tables = metrics
    .filter(({ kind }) => kind === clickhouse.kinds.metricsSink.kind)
    .map(({ options }) => (options as { readonly table: string }).table);
  if (tables.length > 0) return tables;
  throw new MillraceError('config', `${name} writes no metrics to ClickHouse`, {
    where: 'metrics',
    hint: "give the topology metrics: clickhouse.metricsSink({ table: 'metrics' })",
  });
}

async function create(config: Config, metrics: readonly string[], statements: readonly string[]): Promise<void> {
  const { openProfile } = await import('../../profiles/profiles.js');
  const opened = await openProfile(config, { besideOwner: true });
  try {
    const { tables } = await opened.connect(clickhouse);
    for (const table of metrics) {
      const [{ result } = { result: 0 }] = await tables.query<{ result: number }>(`EXISTS TABLE ${table}`);
      if (result === 1) continue;
      throw new MillraceError('config', `there is no table ${table} yet`, {
        where: tables.engine.where,
        hint: 'run the topology once: its sink creates the table',
      });
    }
    for (const statement of statements) await tables.command(statement);
  } finally {
    await opened.close();
  }
}
