import type { Command } from 'commander';
import type { Config } from '../../profiles/settings.js';
import { check, type Topology } from '../../topology/index.js';
import { counted } from '../../util/counted.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';
import type { SinkMismatch } from '../run/config-mismatches.js';

interface CheckFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace check`: everything that is wrong with a topology, at once, without running it. */
export function checkCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('check', 'Checks a topology without running it and prints all problems.', [
    'millrace check topologies/flight-delays.ts',
    'millrace check topologies/flight-delays.ts --profile cluster   # and topics that are not as it declares them',
    'millrace check pipelines.ts#orders --json',
  ])
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((file: string, style: CheckFlags) =>
      act(style, async () => {
        const topology = await loadTopology(file);
        const { profile, data } = style;
        const config = await readConfig({ profile, data }, { topology }); // settings that no run would take end it here
        const problems = check(topology);
        // Only where a profile is named: without one nothing is opened.
        const mismatches = style.profile === undefined ? undefined : await lookAt(topology, config);
        if (style.json) terminal.out(`${JSON.stringify({ topology: topology.name, problems, mismatches })}\n`);
        else if (problems.length === 0) terminal.out(`${topology.name}: no problems found\n`);
        else {
          const lines = problems.map(({ where, message, hint }) => `  ${where}: ${message}\n    hint: ${hint}`);
          terminal.out(`${topology.name}: ${counted(problems.length, 'problem')}\n${lines.join('\n')}\n`);
        }
        if (!style.json && mismatches)
          terminal.out((await import('../run/config-mismatches.js')).mismatchLines(mismatches));
        return problems.length === 0 && !mismatches?.some(({ refused }) => refused) ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

async function lookAt(topology: Topology, config: Config): Promise<SinkMismatch[]> {
  const [{ openProfile }, { mismatchesOf }] = await Promise.all([
    import('../../profiles/profiles.js'),
    import('../run/config-mismatches.js'),
  ]);
  const opened = await openProfile(config);
  try {
    return await mismatchesOf(topology, opened);
  } finally {
    await opened.close();
  }
}
