import type { Command } from 'commander';
import type { SourceLag } from '../../checkpoints/offsets.js';
import { MillraceError } from '../../core/errors.js';
import type { Topology } from '../../topology/index.js';
import { exitCodes } from '../../util/terminal.js';
import { textTable } from '../../util/text-table.js';
import { type CommandContext, command, group, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';

interface OffsetsFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

interface ResetFlags extends OffsetsFlags {
  readonly to: string;
  readonly source?: string;
  readonly dropState?: boolean;
  readonly yes?: boolean;
}

/** `millrace offsets`: how far a topology has read, and moving it elsewhere. */
export function offsetsCommand(context: CommandContext): Command {
  return group('offsets', 'Shows the offsets and lag of a topology, or resets its offsets.', [
    'millrace offsets payments.ts',
    'millrace offsets payments.ts --profile cluster --json',
    'millrace offsets reset payments.ts --to earliest --drop-state --yes',
  ])
    .addCommand(showCommand(context), { isDefault: true })
    .addCommand(resetCommand(context));
}

function showCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('show', 'Shows position, end and lag by source and task (same as `millrace offsets FILE`).', [
    'millrace offsets payments.ts',
  ])
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((file: string, flags: OffsetsFlags) =>
      act(flags, async () => {
        const topology = await loadTopology(file);
        const [{ openProfile }, { behindText, lagOf }] = await Promise.all([
          import('../../profiles/profiles.js'),
          import('../../checkpoints/offsets.js'),
        ]);
        const profile = await openProfile(await readConfig({ profile: flags.profile, data: flags.data }), {
          besideOwner: true,
        });
        try {
          const rows = await lagOf(profile, topology);
          const lag = rows.reduce((sum, row) => sum + (row.lag ?? 0), 0);
          terminal.out(
            flags.json
              ? `${JSON.stringify({ topology: topology.name, lag, tasks: rows })}\n`
              : `${textTable(legible(withStateText(rows.map(({ heldBy: _, ...row }) => row))))}${behindText(rows)}\n${heldLines(rows)}`,
          );
        } finally {
          await profile.close();
        }
        return exitCodes.ok;
      }),
    );
}

function resetCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('reset', 'Resets the offsets of a stopped topology and raises its incarnation.', [
    'millrace offsets reset payments.ts --to earliest                  what would change',
    'millrace offsets reset payments.ts --to earliest --drop-state --yes',
    'millrace offsets reset payments.ts --to 2026-01-31T12:00:00Z --source reviews --yes',
  ])
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .requiredOption('--to <point>', 'earliest, latest, an offset (in every partition) or a time')
    .option('--source <id>', 'only this source (default: all)')
    .option('--drop-state', 'also delete the state: models, dedupe keys, counters')
    .option('--yes', 'reset; without it nothing is changed')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((file: string, flags: ResetFlags) =>
      act(flags, async () => {
        const topology = await loadTopology(file);
        mustHave(topology, flags.source);
        const [{ openProfile }, { planReset }, { startOf }] = await Promise.all([
          import('../../profiles/profiles.js'),
          import('../../checkpoints/offsets.js'),
          import('../../topics/read-topic.js'),
        ]);
        const to = startOf(flags.to, '--to');
        const profile = await openProfile(await readConfig({ profile: flags.profile, data: flags.data }));
        try {
          const dropState = flags.dropState ?? false;
          const done = flags.yes ?? false;
          const { moves, incarnation, apply } = await planReset(profile, topology, {
            to,
            source: flags.source,
            dropState,
          });
          if (done) await apply();
          if (flags.json) {
            terminal.out(`${JSON.stringify({ topology: topology.name, done, incarnation, dropState, moves })}\n`);
          } else {
            const state = dropState
              ? 'state is dropped'
              : 'state is kept: dedupe will drop records that it has already seen (--drop-state deletes the state)';
            const end = done ? `done, incarnation ${incarnation}` : 'nothing was changed: pass --yes to reset';
            terminal.out(`${textTable(legible(moves))}${state}\n${end}\n`);
          }
        } finally {
          await profile.close();
        }
        return exitCodes.ok;
      }),
    );
}

/** Without the partition where it is the task's number in every row: it is another one in global sources only. */
function legible<R extends { readonly task: number; readonly partition: number }>(
  rows: readonly R[],
): readonly object[] {
  if (rows.some(({ task, partition }) => task !== partition)) return rows;
  return rows.map(({ partition: _, ...row }) => row);
}

/** Which inputs end for readers before their logs do, and why. */
const heldLines = (rows: readonly SourceLag[]): string =>
  rows
    .filter(({ heldBy }) => heldBy !== undefined)
    .map(({ topic, partition, heldBy }) => `warning: ${topic}/${partition} cannot be read to its end: ${heldBy}\n`)
    .join('');

/** A source state in one line, and no column for it where all inputs are topics. */
function withStateText(
  rows: readonly SourceLag[],
): readonly (Omit<SourceLag, 'sourceState'> & { readonly sourceState?: string })[] {
  if (rows.every(({ sourceState }) => sourceState === undefined)) return rows.map(({ sourceState: _, ...row }) => row);
  return rows.map(({ sourceState, ...row }) => {
    const { file, cursor, at, skip } = (sourceState ?? {}) as Readonly<Record<string, unknown>>;
    const said = Object.entries({ file, cursor, at, skip }).filter(([, value]) => value !== undefined);
    return { ...row, sourceState: said.map(([name, value]) => `${name} ${value}`).join(', ') };
  });
}

function mustHave({ sources }: Topology, id: string | undefined): void {
  if (id === undefined || sources.some((source) => source.id === id)) return;
  throw new MillraceError('config', `there is no source '${id}'`, {
    where: '--source',
    hint: `it has: ${sources.map((source) => source.id).join(', ')}`,
  });
}
