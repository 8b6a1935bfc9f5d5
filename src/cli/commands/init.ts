import { type Command, Option } from 'commander';
import { type ExitCode, exitCodes } from '../../util/terminal.js';
import { type CommandContext, command } from '../command.js';
import type { Answers } from '../init/complete.js';
import type { Project } from '../init/project.js';
import { installStep } from '../load/own-package.js';
import { nextSteps, starterFiles } from '../starter/index.js';

interface Flags extends Omit<Answers, 'header'> {
  readonly header?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace init`: a first topology to run, read and change, of what one has. */
export function initCommand({ terminal, act }: CommandContext): Command {
  return command(
    'init',
    'Writes a first topology with its schema, a test and what it takes to run. Asks what one has where it is run by hand.',
    [
      'millrace init',
      'millrace init my-stream --yes',
      'millrace init orders --from data/orders.csv --key customer --time at --do learn --label returned --to clickhouse',
      'millrace init --from kafka:orders.v1 --schema registry --do count --to redis',
    ],
  )
    .argument('[dir]', 'folder to write to; it is created where it is missing', '.')
    .option('--yes', 'ask nothing: what no option says is left at its default')
    .option(
      '--from <what>',
      'sample, kafka:TOPIC, a path of .csv, .ndjson or .parquet files, http:PORT, or redis:STREAM',
    )
    .option('--schema <file>', 'what they look like: .avsc, .proto, .json, a file of samples, or "registry"')
    .option('--no-header', 'the first line of .csv files is a row; their columns are c1, c2 and so on')
    .option('--registry <url>', 'schema registry; that of the configuration without it')
    .option('--name <name>', 'what they are called; as the file or topic by default')
    .option('--key <field>', 'field that keys them')
    .option('--time <field>', 'field that says when they happened')
    .addOption(new Option('--do <task>', 'what is to be done').choices(['learn', 'route', 'score', 'count']))
    .option('--label <what>', 'to learn: FIELD, FIELD>=NUMBER or FIELD=TEXT is to be predicted')
    .option('--labels <what>', 'to learn: where labels come from, as --from has it; from the records by default')
    .option('--labels-schema <file>', 'what labels look like, as --schema has it')
    .option('--model <file>', 'to score: an ONNX file')
    .option('--to <what>', 'kafka, clickhouse, redis, file, postgres or webhook, with :NAME behind it, or a URL')
    .action((folder: string, { json, verbose, yes, header, ...others }: Flags) =>
      act({ json, verbose }, async () => {
        const given: Answers = { ...others, ...(header === false ? { header } : {}) };
        const isByHand = !yes && !json && process.stdin.isTTY === true && process.stdout.isTTY === true;
        const answers = isByHand ? await answersByHand(given, folder) : given;
        if (answers === undefined) return exitCodes.interrupted satisfies ExitCode;
        const { files, steps } = await projectOf(answers, folder);
        const { writeFiles } = await import('../init/write-files.js');
        const written = writeFiles(folder, files);
        const next = [...before(folder), ...steps.map((step) => `npx ${step}`)];
        if (json) terminal.out(`${JSON.stringify({ folder, written, nextSteps: next })}\n`);
        else terminal.out(`written to ${folder}:\n${list(written)}\n\nnext:\n${list(next)}\n`);
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
  if (isStarter(answers)) return { files: starterFiles(), steps: nextSteps };
  const { projectOf: projectOfPlan } = await import('../init/project.js');
  return projectOfPlan(await planOf(answers, folder));
}

/** What must be done before the first step. */
function before(folder: string): string[] {
  const install = installStep(folder);
  return [...(folder === '.' ? [] : [`cd ${folder}`]), ...(install === undefined ? [] : [install])];
}

const list = (items: readonly string[]): string => items.map((item) => `  ${item}`).join('\n');
