import { type Command, Option } from 'commander';
import { MillraceError } from '../../core/errors.js';
import type { WrittenSavepoint } from '../../server/actions/run-control.js';
import { subtopologiesIn } from '../../state/savepoint.js';
import type { RestoredPositions } from '../../topics/positions.js';
import {
  isRefused,
  type PlannedTask,
  planState,
  planText,
  subtopologiesOf,
  topologyHash,
} from '../../topology/index.js';
import { counted } from '../../util/counted.js';
import { exitCodes } from '../../util/terminal.js';
import { textTable } from '../../util/text-table.js';
import { type CommandContext, command, group, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';
import { askRun, runAddress } from '../run/ask-run.js';

interface SavepointFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

interface CreateFlags extends SavepointFlags {
  readonly url?: string;
}

interface RestoreFlags extends SavepointFlags {
  readonly positions: RestoredPositions;
  readonly force?: boolean;
  readonly rescale?: boolean;
  readonly assumeKeyed?: boolean;
}

/** `millrace savepoint`: the state of a topology as a file that either profile can go on from. */
export function savepointCommand(context: CommandContext): Command {
  return group('savepoint', 'Saves the state of a topology to a file, or restores it.', [
    'millrace savepoint create before-v2 payments.ts',
    'millrace savepoint list',
    'millrace savepoint restore before-v2 payments.ts --profile cluster',
  ])
    .addCommand(createCommand(context))
    .addCommand(listCommand(context))
    .addCommand(restoreCommand(context));
}

function createCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command(
    'create',
    'Writes the newest checkpoints of a topology to a file. It is stopped, or it runs at --url with --allow-actions: then it pauses meanwhile.',
    [
      'millrace savepoint create before-v2 payments.ts',
      'millrace savepoint create before-v2 --url http://127.0.0.1:9464',
    ],
  )
    .argument('<name>', 'name of the savepoint: DATA/savepoints/NAME.mrsp')
    .argument('[file]', 'file of a topology that is stopped, or FILE#name if it exports several')
    .addOption(shared.profile)
    .addOption(shared.data)
    .option('--url <address>', 'address of the run; the savepoint is in the data folder of that process')
    .action((name: string, file: string | undefined, flags: CreateFlags) =>
      act(flags, async () => {
        const tell = (created: WrittenSavepoint) =>
          terminal.out(
            flags.json
              ? `${JSON.stringify(created)}\n`
              : `${created.file}: ${counted(created.partitions, 'task')} of ${created.topology}, ${counted(created.bytes, 'byte')}\n`,
          );
        if ((file === undefined) === (flags.url === undefined))
          throw new MillraceError('config', 'a savepoint is that of a file, or of a run', {
            where: 'savepoint create',
            hint: 'give the file of a stopped topology, or --url',
          });
        if (file === undefined) {
          const answer = await askRun(await runAddress(flags), '/savepoints', { name });
          tell((await answer.json()) as WrittenSavepoint);
          return exitCodes.ok;
        }
        const topology = await loadTopology(file);
        const config = await readConfig({ profile: flags.profile, data: flags.data });
        const [{ openProfile }, { createSavepoint }] = await Promise.all([
          import('../../profiles/profiles.js'),
          import('../../checkpoints/savepoints.js'),
        ]);
        const profile = await openProfile(config);
        try {
          tell(await createSavepoint(profile, topology, { name, data: config.data, nowMs: Date.now() }));
        } finally {
          await profile.close();
        }
        return exitCodes.ok;
      }),
    );
}

function listCommand({ terminal, act }: CommandContext): Command {
  return command('list', 'Lists the savepoints of a data folder.', [
    'millrace savepoint list',
    'millrace savepoint list --json',
  ])
    .addOption(profileOptions().data)
    .action((flags: SavepointFlags) =>
      act(flags, async () => {
        const { data } = await readConfig({ data: flags.data });
        const { listSavepoints } = await import('../../checkpoints/savepoint-files.js');
        const { savepoints, damaged } = listSavepoints(data);
        if (flags.json) terminal.out(`${JSON.stringify({ savepoints, damaged })}\n`);
        else {
          const rows = savepoints.map(({ bytes, manifest }) => {
            const { name, topology, topologyHash: hash, createdAt, partitions, profile } = manifest;
            return { name, topology, hash, createdAt, tasks: partitions, profile, bytes };
          });
          terminal.out(rows.length === 0 ? `no savepoints in ${data}\n` : textTable(rows));
          for (const { file, reason } of damaged) terminal.err(`${file} cannot be restored: ${reason}\n`);
        }
        return exitCodes.ok;
      }),
    );
}

function restoreCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('restore', 'Replaces the state of a topology by a savepoint.', [
    'millrace savepoint restore before-v2 payments.ts',
    'millrace savepoint restore before-v2 payments.ts --profile cluster --positions latest',
    'millrace savepoint restore drained payments.ts --profile cluster --rescale',
  ])
    .argument('<name>', 'name of the savepoint')
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .addOption(
      new Option('--positions <which>', 'offsets of the savepoint, or new ones if the log is another one')
        .choices(['keep', 'earliest', 'latest'])
        .default('keep'),
    )
    .option('--force', 'restore even if the structure of the topology has changed')
    .option('--rescale', 'divide keyed state over the current number of partitions')
    .option(
      '--assume-keyed',
      'with --rescale: the keys of steps are the keys of the records, even if the state cannot show it',
    )
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((name: string, file: string, flags: RestoreFlags) =>
      act(flags, async () => {
        const topology = await loadTopology(file);
        const config = await readConfig({ profile: flags.profile, data: flags.data });
        const [{ openProfile }, { restoreSavepoint }, { readSavepoint, savepointFile }, { unfinishedIn }] =
          await Promise.all([
            import('../../profiles/profiles.js'),
            import('../../checkpoints/savepoints.js'),
            import('../../checkpoints/savepoint-files.js'),
            import('../../checkpoints/unfinished.js'),
          ]);
        const path = savepointFile(config.data, name);
        const { manifest, tasks } = readSavepoint(path);
        if (manifest.topology !== topology.name || manifest.topologyHash !== topologyHash(topology)) {
          const kept = subtopologiesIn(manifest);
          const plans = await Promise.all(
            subtopologiesOf(topology).map(async (subtopology) => {
              const {
                topics = {},
                first = 0,
                partitions = 0,
              } = kept.find(({ name }) => name === subtopology.name) ?? {};
              const stored = tasks.slice(first, first + partitions);
              return planState(
                subtopology,
                stored.map((task, partition): PlannedTask => ({ ...task, partition, topics })),
                { unfinished: await unfinishedIn(subtopology) },
              );
            }),
          );
          if (!flags.json) terminal.out(plans.map(planText).join('\n'));
          if (!flags.force) {
            throw new MillraceError(
              'state',
              `the savepoint is of topology ${manifest.topology} (${manifest.topologyHash})`,
              {
                where: path,
                hint: plans.some(isRefused)
                  ? 'a run would refuse this state: fix what the plan lists as refused'
                  : 'pass --force to restore it according to the plan',
              },
            );
          }
        }
        const profile = await openProfile(config);
        try {
          const rescale = flags.rescale ? { assumeKeyed: flags.assumeKeyed ?? false } : undefined;
          const done = await restoreSavepoint(profile, topology, { file: path, positions: flags.positions, rescale });
          terminal.out(
            flags.json
              ? `${JSON.stringify({ topology: topology.name, file: path, ...done })}\n`
              : `${topology.name}: ${counted(done.tasks, 'task')} restored on the ${profile.name} profile, incarnation ${done.incarnation}\n`,
          );
        } finally {
          await profile.close();
        }
        return exitCodes.ok;
      }),
    );
}
