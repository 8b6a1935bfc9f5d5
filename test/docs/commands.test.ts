import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../src/cli/program.js';
import { nextSteps } from '../../src/cli/starter/index.js';
import { repository } from '../import-graph.js';
import { read } from './generated.js';
import { millraceArgs, type ShownCommand, shownCommands, wordsOf } from './shell-commands.js';

// Every command that a document shows is one that works: it is parsed here by the program itself, and a test or a script runs it.

/** The command line with actions that do nothing. */
const commandsOnly = () =>
  commandLine({
    terminal: { out: () => {}, err: () => {} },
    settings: {},
    act: async () => {},
  });

/** The command that the first words name, and the words behind it. */
function resolve(args: readonly string[], command: Command = commandsOnly()): [Command, readonly string[]] {
  const below = command.commands.find((one) => one.name() === args[0]);
  return below === undefined ? [command, args] : resolve(args.slice(1), below);
}

/** What is wrong with a command line, as the program says it. */
async function problemOf({ words, isWhole }: Pick<ShownCommand, 'words' | 'isWhole'>): Promise<string | undefined> {
  const args = (millraceArgs({ words }) ?? []).map((word) => (word === 'N' ? '1' : word));
  const [command, rest] = resolve(args);
  if (command.name() === 'millrace' && args[0]?.startsWith('--') !== true) return `no command ${args[0]}`;
  if (!isWhole) {
    const flags = rest.filter((word) => word.startsWith('--'));
    return flags.find((flag) => !command.options.some(({ long }) => long === flag));
  }
  try {
    await commandsOnly().parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.message;
    throw error;
  }
}

/**
 * What runs the commands of blocks. A script of `.ci` names the command; a test does what the command does. Behind `not run:` is the
 * reason why nothing does.
 */
const runBy: readonly (readonly [RegExp, string])[] = [
  [/^npm (ci|test)$|^npm run (lint|typecheck)$/, '.ci/run'],
  [/^npm run (build|sim|fuzz|oracle|mutants|chaos)\b/, '.ci/nightly'],
  [/^npm run test:unit$/, 'scripts/test.mjs'],
  [/^npm run setup$/, 'test/scripts.test.ts'],
  [/^npm run data -- digits$|^npx millrace verify topologies\/digits\.ts/, 'test/e2e/topologies/digits.test.ts'],
  [/^npm run stack\b|^npm run --silent stack -- env$/, 'scripts/test.mjs'],
  [/^npm run drill:scale$|^npm run chart$/, '.ci/nightly'],
  [/^npm run drill:upgrade$/, 'test/integration/kafka/upgrade.test.ts'],
  [/^npm run demo$/, 'test/e2e/demo.test.ts'],
  [/^npm install millrace|^npx millrace init$/, 'scripts/packed.mjs'],
  [/^npx millrace (check|describe|run|verify) trades\.ts/, 'scripts/packed.mjs'],
  // As documented, to the letter.
  [/^npx millrace init orders |^millrace produce /, 'test/cli/starter.test.ts'],
  [/^millrace (pause|resume|stop) |^millrace savepoint create .*--url /, 'test/cli/control.test.ts'],
  [/^millrace (plan|offsets|savepoint|dlq|tail) (?!.*--profile cluster)/, 'test/cli/starter.test.ts'],
  [/^millrace run topology\.ts/, 'test/cli/starter.test.ts'],
  [
    /^(npx )?millrace demo .*--profile cluster|flight-delays\.ts --profile cluster/,
    'test/integration/flights/world.ts',
  ],
  [/^millrace (run|plan|savepoint) .*--profile cluster/, 'test/integration/cli/operations.test.ts'],
  [/^millrace (status|top) /, 'test/cli/status.test.ts'],
  [/^millrace doctor /, 'test/integration/cli/doctor.test.ts'],
  [/^millrace verify /, 'test/e2e/verify.test.ts'],
  [/^millrace features /, 'test/e2e/features.test.ts'],
  [/^millrace schema diff /, 'test/cli/schema.test.ts'],
  [/^millrace evaluate /, 'test/cli/evaluate.test.ts'],
  [/^npx millrace init --docker payments\.ts$/, 'test/cli/init/docker.test.ts'],
  [/^npm ci --omit=dev /, 'scripts/packed.mjs'],
  [/docker compose up --build$/, 'not run: Docker; scripts/packed.mjs runs the commands of the image'],
  [/^(cp .*|systemctl .*)millrace@/, 'not run: systemd; test/deploy/systemd.test.ts verifies the unit'],
  [/^(kubectl|helm|kubeconform) /, 'not run: Kubernetes; test/integration/deploy validates what the chart renders'],
  [/^kafka-(topics|consumer-groups\.sh) /, "not run: Kafka's own tools, with the addresses of readers"],
  [/^(kill|export|cd) /, 'not run: the shell'],
];

describe('the commands that documents show', () => {
  it('of millrace are parsed by millrace', async () => {
    const shown = shownCommands.filter((one) => millraceArgs(one) !== undefined);
    expect(shown.length).toBeGreaterThan(80);
    const problems = await Promise.all(
      shown.map(async (one) => [one.document, one.text, await problemOf(one)] as const),
    );
    expect(problems.filter(([, , problem]) => problem !== undefined)).toEqual([]);
  });

  it('of --help are parsed too', async () => {
    const examples = [
      ...read('docs/guide/commands.md')
        .replaceAll(/\\\n\s*/g, '')
        .matchAll(/^ {2}\$ (millrace .*?)(?: {3,}.*| \| .*)?$/gm),
    ];
    expect(examples.length).toBeGreaterThan(40);
    const problems = await Promise.all(
      examples.map(async ([, text = '']) => [text, await problemOf({ isWhole: true, words: wordsOf(text) })]),
    );
    expect(problems.filter(([, problem]) => problem !== undefined)).toEqual([]);
  });

  it('name files that are there', () => {
    const named = shownCommands
      .filter(({ words }) => words[0] === 'npx' && (words[1] === 'vitest' || words[1] === 'tsx'))
      .flatMap(({ words }) => words.filter((word) => /^(test|docs|benchmarks)\//.test(word)));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });

  it('to be copied are run by something', () => {
    const isFirstStep = ({ text }: ShownCommand) => nextSteps.some((step) => text === `npx ${step}`);
    const whole = shownCommands.filter((shown) => shown.isWhole && !isFirstStep(shown));
    const covered = whole.map(({ text }) => [text, runBy.find(([pattern]) => pattern.test(text))?.[1]] as const);
    expect(covered.filter(([, by]) => by === undefined)).toEqual([]);
    for (const [pattern, by] of runBy) {
      expect([pattern, whole.some(({ text }) => pattern.test(text))]).toEqual([pattern, true]);
      if (!by.startsWith('not run: ')) expect(existsSync(join(repository, by))).toBe(true);
    }
  });

  it('are in the script that runs them', () => {
    for (const { text } of shownCommands) {
      const by = runBy.find(([pattern]) => pattern.test(text))?.[1] ?? '';
      const [, name] = /^npm (?:run )?(\S+)/.exec(text) ?? [];
      if (by.startsWith('.ci/')) expect(read(by)).toMatch(new RegExp(`npm (run --silent )?${name}\\b`));
    }
  });

  it('refuses what is no command', async () => {
    const wrong = async (text: string, isWhole = true) => await problemOf({ isWhole, words: wordsOf(text) });
    expect(await wrong('millrace ran topology.ts')).toBe('no command ran');
    expect(await wrong('npx millrace run topology.ts --until-the-end')).toContain('unknown option');
    expect(await wrong('millrace run')).toContain("missing required argument 'file'");
    expect(await wrong('millrace run FILE --processes N')).toBeUndefined();
    expect(await wrong('millrace query --reade', false)).toBe('--reade');
  });
});
