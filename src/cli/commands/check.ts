import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { MillraceError } from '../../core/errors.js';
import type { Config } from '../../profiles/settings.js';
import { check, type Topology } from '../../topology/index.js';
import { counted } from '../../util/counted.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';
import { type CodedProblem, problemLines } from '../run/coded-problem.js';
import type { SinkFilter, SinkMismatch } from '../run/config-mismatches.js';

interface CheckFlags {
  readonly profile?: string;
  readonly data?: string;
  readonly models?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace check`: everything that is wrong with a topology, at once, without running it. */
export function checkCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command(
    'check',
    'Checks a topology without running it and prints all problems. Without --profile it opens no connection, and compares topics and schemas with those in the embedded store.',
    [
      'millrace check topologies/flight-delays.ts',
      'millrace check topologies/flight-delays.ts --profile cluster   # also connects, and compares topics, schemas and servers',
      'millrace check topologies/flight-delays.ts --models   # also loads the models, and holds their inputs against the views',
      'millrace check pipelines.ts#orders --json',
    ],
  )
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .addOption(shared.profile)
    .addOption(shared.data)
    .option(
      '--models',
      'also load the models of infer steps: files, inputs and outputs, views, and the providers of this machine',
    )
    .action((file: string, flags: CheckFlags) =>
      act(flags, async () => {
        const topology = await loadTopology(file);
        const own = check(topology).map((problem): CodedProblem => ({ code: 'config', ...problem }));
        const { problems: found, mismatches = [], unseen } = await lookAround(topology, flags);
        // A topic with a malformed name is missing too: one of the two is enough.
        const around = found.filter(({ where }) => !own.some((problem) => problem.where === where));
        const models = flags.models
          ? await (await import('../run/model-problems.js')).modelProblems(topology)
          : undefined;
        const problems = [...own, ...around, ...(models?.problems ?? [])];
        const answer = { topology: topology.name, problems, mismatches, unseen };
        if (flags.json)
          terminal.out(`${JSON.stringify({ ...answer, ...(models && { warnings: models.warnings }) })}\n`);
        else {
          const sum = problems.length === 0 ? 'no problems found' : counted(problems.length, 'problem');
          terminal.out(`${topology.name}: ${sum}\n${problemLines(problems)}`);
          terminal.out((await import('../run/config-mismatches.js')).mismatchLines(mismatches));
          for (const line of models?.warnings ?? []) terminal.out(`  warning: ${line}\n`);
          for (const line of unseen) terminal.out(`  not checked: ${line}\n`);
        }
        const isFine = problems.length === 0 && !mismatches.some(({ refused }) => refused);
        return isFine ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

interface Surroundings {
  readonly problems: readonly CodedProblem[];
  readonly mismatches?: readonly SinkMismatch[];
  /** What was not checked, and how to check it. */
  readonly unseen: readonly string[];
}

/** What the profile says. That it does not answer, or that no run would take the settings, is a problem like others. */
async function lookAround(topology: Topology, flags: CheckFlags): Promise<Surroundings> {
  try {
    return await surroundings(topology, flags);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const { code, message, where = topology.name, hint = '' } = error;
    return { problems: [{ code, where, message, hint }], unseen: [] };
  }
}

/** All of the profile where one is named, otherwise what lies in the embedded store, if there is one. */
async function surroundings(topology: Topology, { profile, data }: CheckFlags): Promise<Surroundings> {
  const config = await readConfig({ profile, data }, { topology });
  if (profile !== undefined) return { ...(await lookAt(topology, config)), unseen: [] };
  if (config.profile === 'cluster')
    return {
      problems: [],
      unseen: ['topics, schemas and sinks of the cluster: pass --profile cluster to connect to it'],
    };
  const log = join(config.data, 'log');
  if (!existsSync(join(log, 'data.mdb'))) return { problems: [], unseen: [] };
  const { isStored } = await import('../run/config-mismatches.js');
  const outside = topology.sinks.filter(({ sink }) => !isStored(sink)).map(({ id, sink }) => `${id} (${sink.kind})`);
  const unseen = outside.length === 0 ? [] : [`${outside.join(', ')}: pass --profile embedded to check their targets`];
  try {
    return { ...(await lookAt(topology, config, isStored)), unseen };
  } catch (error) {
    // A run that goes on is no problem of the topology.
    if (!(error instanceof MillraceError) || error.where !== log) throw error;
    return { problems: [], unseen: [`topics and schemas in ${config.data}: ${error.message}`, ...unseen] };
  }
}

async function lookAt(topology: Topology, config: Config, which?: SinkFilter) {
  const [{ openProfile }, { mismatchesOf }, { profileProblems }] = await Promise.all([
    import('../../profiles/profiles.js'),
    import('../run/config-mismatches.js'),
    import('../run/profile-problems.js'),
  ]);
  const opened = await openProfile(config);
  try {
    const problems = await profileProblems(topology, opened);
    return { problems, mismatches: await mismatchesOf(topology, opened, which) };
  } finally {
    await opened.close();
  }
}
