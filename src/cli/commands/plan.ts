import type { Command } from 'commander';
import {
  isRefused,
  needsAcceptance,
  planState,
  planText,
  type StatePlan,
  subtopologiesOf,
  topologyHash,
} from '../../topology/index.js';
import { counted } from '../../util/counted.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';
import { problemLines } from '../run/coded-problem.js';

interface PlanFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace plan`: what running a topology would do with the state that earlier runs left. */
export function planCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command(
    'plan',
    'Prints what a run would do with stored state, and which topics and schemas do not fit the topology. Exits with 1 if a run would be refused, and with 3 if it needs --accept-plan with the printed hash.',
    ['millrace plan payments.ts', 'millrace plan topologies/flight-delays.ts --profile cluster --json'],
  )
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((file: string, flags: PlanFlags) =>
      act(flags, async () => {
        const topology = await loadTopology(file);
        const [
          { openProfile },
          { storedTasks, tasksNow },
          { mismatchLines, mismatchesOf },
          { profileProblems },
          { unfinishedIn },
        ] = await Promise.all([
          import('../../profiles/profiles.js'),
          import('../../checkpoints/stored-state.js'),
          import('../run/config-mismatches.js'),
          import('../run/profile-problems.js'),
          import('../../checkpoints/unfinished.js'),
        ]);
        const profile = await openProfile(await readConfig({ profile: flags.profile, data: flags.data }, { topology }));
        try {
          const plans: StatePlan[] = [];
          for (const subtopology of subtopologiesOf(topology))
            plans.push(
              planState(subtopology, await storedTasks(profile, subtopology), {
                tasksNow: await tasksNow(profile, subtopology),
                unfinished: await unfinishedIn(subtopology),
              }),
            );
          const problems = await profileProblems(topology, profile);
          const mismatches = await mismatchesOf(topology, profile);
          const object = plans.length === 1 ? plans[0] : { topology: topology.name, subtopologies: plans };
          const acceptPlan = needsAcceptance(plans) ? topologyHash(topology) : null;
          const isStopped =
            plans.some((plan) => isRefused(plan) || plan.tasksNow !== undefined) ||
            problems.length > 0 ||
            mismatches.some(({ refused }) => refused);
          if (flags.json) terminal.out(`${JSON.stringify({ ...object, problems, mismatches, acceptPlan })}\n`);
          else {
            terminal.out(plans.map(planText).join('\n'));
            if (problems.length > 0)
              terminal.out(`\n${counted(problems.length, 'problem')}\n${problemLines(problems)}`);
            terminal.out(mismatchLines(mismatches));
            if (isStopped) terminal.out('a run would be refused\n');
            else if (acceptPlan !== null) terminal.out(`a run needs --accept-plan ${acceptPlan}\n`);
          }
          if (isStopped) return exitCodes.failed;
          return acceptPlan === null ? exitCodes.ok : exitCodes.unaccepted;
        } finally {
          await profile.close();
        }
      }),
    );
}
