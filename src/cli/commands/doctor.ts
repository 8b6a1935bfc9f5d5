import type { Command } from 'commander';
import type { Finding } from '../../core/connector.js';
import { MillraceError } from '../../core/errors.js';
import { connectorsOf, unique } from '../../profiles/built-in.js';
import type { Config } from '../../profiles/settings.js';
import type { Topology } from '../../topology/index.js';
import { counted } from '../../util/counted.js';
import { exitCodes, type Terminal } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions } from '../command.js';
import { ofFolder, ofMachine, thisMachine } from '../doctor/machine.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';
import { ownPackage } from '../load/own-package.js';

interface DoctorFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace doctor`: what a run stands on, before there is one. */
export function doctorCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command(
    'doctor',
    'Examines what a run stands on: Node, memory, disk, and the servers of the profile with their versions, clocks and settings. Changes nothing.',
    [
      'millrace doctor',
      'millrace doctor topologies/flight-delays.ts --profile cluster   # also the servers of its sources, sinks and lookups',
    ],
  )
    .argument('[file]', 'topology file, or FILE#name if it exports several')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((file: string | undefined, { profile, data, ...flags }: DoctorFlags) =>
      act(flags, async () => {
        const topology = file === undefined ? undefined : await loadTopology(file);
        const config = await readConfig({ profile, data }, topology && { topology });
        const findings: Finding[] = [];
        for await (const finding of examine(config, topology)) {
          findings.push(finding);
          if (!flags.json) print(terminal, finding);
        }
        const of = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
        if (flags.json) terminal.out(`${JSON.stringify({ profile: config.profile, findings })}\n`);
        else terminal.out(`\n${counted(of('problem'), 'problem')}, ${counted(of('warning'), 'warning')}\n`);
        return of('problem') === 0 ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

/** One after another, as they are found: a server that does not answer is waited for. */
async function* examine(config: Config, topology: Topology | undefined): AsyncGenerator<Finding> {
  yield* ofMachine(thisMachine(ownPackage().nodeMin));
  if (config.profile === 'embedded') yield await ofFolder(config.data);
  const { openProfile } = await import('../../profiles/profiles.js');
  const profile = `the ${config.profile} profile`;
  yield* orProblem(profile, async function* () {
    const opened = await openProfile(config, { besideOwner: true });
    try {
      const { examine } = opened;
      const { needsRegistry } = await import('../run/profile-problems.js');
      if (examine) yield* orProblem(profile, () => examine(topology && needsRegistry(topology)));
      for (const connector of topology ? unique(connectorsOf(topology)) : [])
        yield* orProblem(connector.name, async function* () {
          yield* (await (await opened.connect(connector)).examine?.()) ?? [];
        });
    } finally {
      await opened.close();
    }
  });
}

/** What a server answers that cannot be used is what was to be found out. */
async function* orProblem(of: string, findings: () => AsyncIterable<Finding>): AsyncGenerator<Finding> {
  try {
    yield* findings();
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const { message, where = of, hint } = error;
    yield { of: where, state: 'problem', said: message, ...(hint !== undefined && { hint }) };
  }
}

function print({ out }: Terminal, { of, state, said, hint }: Finding): void {
  out(`${(state === 'fine' ? 'ok' : state).padEnd(8)} ${of}: ${said}\n`);
  if (hint !== undefined) out(`${' '.repeat(9)}${hint}\n`);
}
