import type { Command } from 'commander';
import { check } from '../../topology/index.js';
import { type CommandContext, command } from '../command.js';
import { loadTopology } from '../load-topology.js';
import { exitCodes } from '../terminal.js';

/** `millrace check`: everything that is wrong with a topology, at once, without running it. */
export function checkCommand({ terminal, act }: CommandContext): Command {
  return command('check', 'Finds everything that is wrong with a topology, without running it.', [
    'millrace check topologies/flight-delays.ts',
    'millrace check pipelines.ts#orders --json',
  ])
    .argument('<file>', 'topology file; FILE#name where it exports several')
    .action((file: string, style: { json?: boolean; verbose?: boolean }) =>
      act(style, async () => {
        const topology = await loadTopology(file);
        const problems = check(topology);
        if (style.json) terminal.out(`${JSON.stringify({ topology: topology.name, problems })}\n`);
        else if (problems.length === 0) terminal.out(`${topology.name}: no problems found\n`);
        else {
          const lines = problems.map(({ where, message, hint }) => `  ${where}: ${message}\n    hint: ${hint}`);
          terminal.out(`${topology.name}: ${problems.length} problem(s)\n${lines.join('\n')}\n`);
        }
        return problems.length === 0 ? exitCodes.ok : exitCodes.failed;
      }),
    );
}
