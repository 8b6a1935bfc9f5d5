import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { MillraceError } from '../../core/errors.js';
import { type ExitCode, exitCodes } from '../../util/terminal.js';
import { type CommandContext, command } from '../command.js';
import type { Answers } from '../init/complete.js';
import type { Project } from '../init/project.js';
import { installSteps } from '../load/own-package.js';
import { nextSteps, starterFiles } from '../starter/index.js';

interface Flags extends Omit<Answers, 'header'> {
  readonly header?: boolean;
  readonly docker?: boolean | string;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace init`: a first topology to run, read and change, of what one has. */
export function initCommand({ terminal, act }: CommandContext): Command {
  return command(
    'init',
    'Writes a first topology with its schema and a test. Asks questions if it runs in a terminal.',
    [
      'millrace init',
      'millrace init my-stream --yes',
      'millrace init orders --from data/orders.csv --key customer --time at --do learn --label returned --to clickhouse',
      'millrace init --from kafka:orders.v1 --schema registry --do count --to redis',
      'millrace init --docker payments.ts',
    ],
  )
    .argument('[dir]', 'folder to write to; created if missing', '.')
    .option('--yes', 'ask no questions: use the defaults for options that are not given')
    .option(
      '--from <what>',
      'sample, kafka:TOPIC, a path of .csv, .ndjson or .parquet files, http:PORT, or redis:STREAM',
    )
    .option('--schema <file>', 'schema of the records: .avsc, .proto, .json, a file with samples, or "registry"')
    .option('--no-header', '.csv files have no header line; the columns are named c1, c2, ...')
    .addOption(
      new Option(
        '--dates <order>',
        'what is first in the dates of a .csv file that are not in ISO 8601: day or month',
      ).choices(['dmy', 'mdy']),
    )
    .option('--registry <url>', 'schema registry (default: the configured one)')
    .option('--name <name>', 'name of the records (default: name of the file or topic)')
    .option('--key <field>', 'field that is the key')
    .option('--time <field>', 'field with the event time')
    .addOption(new Option('--do <task>', 'what the topology does').choices(['learn', 'route', 'score', 'count']))
    .option('--label <what>', 'for learn: what to predict: FIELD, FIELD>=NUMBER or FIELD=TEXT')
    .option('--labels <what>', 'for learn: where labels come from, in the form of --from (default: the records)')
    .option('--labels-schema <file>', 'for learn: schema of the labels, in the form of --schema')
    .option('--model <file>', 'for score: an ONNX file')
    .option('--to <what>', 'kafka, clickhouse, redis, file, postgres or webhook, followed by :NAME or a URL')
    .option(
      '--docker [file]',
      'write a Dockerfile, a .dockerignore and a compose.yaml too; with the file of a topology only these',
    )
    .action((folder: string, { json, verbose, yes, docker, header, ...others }: Flags) =>
      act({ json, verbose }, async () => {
        if (typeof docker === 'string') mustExist(join(folder, docker));
        const given: Answers = { ...others, ...(header === false ? { header } : {}) };
        const isByHand =
          typeof docker !== 'string' && !yes && !json && process.stdin.isTTY === true && process.stdout.isTTY === true;
        const answers = isByHand ? await answersByHand(given, folder) : given;
        if (answers === undefined) return exitCodes.interrupted satisfies ExitCode;
        const project = typeof docker === 'string' ? empty(docker) : await projectOf(answers, folder);
        const { notes, steps } = project;
        const container = docker === undefined ? undefined : await import('../init/docker.js');
        const files = new Map([...project.files, ...(container?.dockerFiles(project.topology) ?? [])]);
        const { writeFiles } = await import('../init/write-files.js');
        const written = writeFiles(folder, files);
        const last = container ? [container.dockerStep] : [];
        const next = [...before(folder, files), ...steps.map((step) => `npx ${step}`), ...last];
        if (json) terminal.out(`${JSON.stringify({ folder, written, notes, nextSteps: next })}\n`);
        else {
          const read = notes.length === 0 ? '' : `\nread as:\n${list(notes)}\n`;
          terminal.out(`written to ${folder}:\n${list(written)}\n${read}\nnext:\n${list(next)}\n`);
        }
        return exitCodes.ok;
      }),
    );
}

/** `undefined` where they were broken off. */
async function answersByHand(given: Answers, folder: string): Promise<Answers | undefined> {
  const { ask, Cancelled } = await import('../init/ask.js');
  try {
    return await ask(given, folder);
  } catch (error) {
    if (error instanceof Cancelled) return undefined;
    throw error;
  }
}

async function projectOf(answers: Answers, folder: string): Promise<Project> {
  const { isStarter, planOf } = await import('../init/complete.js');
  if (isStarter(answers)) return { topology: 'payments.ts', files: starterFiles(), steps: nextSteps, notes: [] };
  const { projectOf: projectOfPlan } = await import('../init/project.js');
  return projectOfPlan(await planOf(answers, folder));
}

/** Nothing but the topology that is there. */
const empty = (topology: string): Project => ({ topology, files: new Map(), steps: [], notes: [] });

function mustExist(file: string): void {
  if (existsSync(file)) return;
  throw new MillraceError('config', 'no such file', {
    where: file,
    hint: 'give the path of a topology file, from the folder',
  });
}

/** What must be done before the first step. */
function before(folder: string, files: Project['files']): string[] {
  return [...(folder === '.' ? [] : [`cd ${folder}`]), ...installSteps(folder, files.values())];
}

const list = (items: readonly string[]): string => items.map((item) => `  ${item}`).join('\n');
