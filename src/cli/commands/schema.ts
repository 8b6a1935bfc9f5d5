import { type Command, Option } from 'commander';
import { MillraceError, messageOf } from '../../core/errors.js';
import type { SchemaText } from '../../core/schema.js';
import type { ConfluentRegistry } from '../../schema/index.js';
import { exitCodes, type Terminal } from '../../util/terminal.js';
import { type CommandContext, command, group } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { schemaInFile, soundness, subjectOf } from '../schema-file.js';

interface Flags {
  readonly subject?: string;
  readonly topic?: string;
  readonly registry?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const subjectOption = () => new Option('--subject <name>', 'subject in the registry');
const topicOption = () => new Option('--topic <topic>', 'use the subject of a topic: TOPIC-value').conflicts('subject');
const registryOption = () =>
  new Option('--registry <url>', "schema registry with Confluent's REST interface (default: the configured one)");

/** `millrace schema`: schemas in files and in the registry. */
export function schemaCommand(context: CommandContext): Command {
  return group('schema', 'Checks, registers and compares schemas, and prints their TypeScript types.', [
    'millrace schema check schemas/payment.v1.avsc --topic payments.v1',
    'millrace schema types schemas/payment.v1.avsc > schemas/payment.v1.types.ts',
  ])
    .addCommand(checkCommand(context))
    .addCommand(registerCommand(context))
    .addCommand(diffCommand(context))
    .addCommand(typesCommand(context));
}

function checkCommand({ terminal, act }: CommandContext): Command {
  return command('check', 'Checks that schemas are valid, and that the registry would accept one; registers nothing.', [
    'millrace schema check schemas/*.avsc schemas/*.proto',
    'millrace schema check schemas/payment.v1.avsc --topic payments.v1',
  ])
    .argument('<files...>', 'schemas: .avsc, .proto or .json')
    .addOption(subjectOption())
    .addOption(topicOption())
    .addOption(registryOption())
    .action((files: readonly string[], flags: Flags) =>
      act(flags, async () => {
        const subject = subjectOf(flags);
        if (subject !== undefined && files.length > 1)
          throw new MillraceError('config', 'several files cannot have the same subject', {
            hint: 'check them one by one',
          });
        const results: Finding[] = [];
        for (const file of files) results.push(await finding(file, subject, flags));
        if (flags.json) terminal.out(`${JSON.stringify({ schemas: results })}\n`);
        else for (const result of results) printFinding(terminal, result);
        return results.every(({ problems }) => problems.length === 0) ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

interface Finding {
  readonly file: string;
  readonly subject?: string;
  readonly problems: readonly { readonly message: string; readonly hint?: string | undefined }[];
}

/** What is wrong with the schema in a file; the registry is asked only where there is a subject, and the rest is right. */
async function finding(file: string, subject: string | undefined, flags: Flags): Promise<Finding> {
  try {
    const schema = await schemaInFile(file, subject ?? file);
    await soundness(schema);
    if (subject === undefined) return { file, problems: [] };
    const registry = await registryOf(flags);
    const { schemaTextOf } = await import('../../schema/index.js');
    const { reasons, compatible } = await registry.compatibility(subject, await schemaTextOf(schema));
    const hint = 'add only fields with defaults and keep existing fields, or use a new subject';
    const problems = reasons.length > 0 ? reasons : ['the registry reports it as incompatible'];
    return { file, subject, problems: compatible ? [] : problems.map((message) => ({ message, hint })) };
  } catch (error) {
    const { code, hint } = error as { readonly code?: unknown; readonly hint?: string };
    // The registry's own trouble is no finding about the schema.
    if (code !== 'schema' || (error as { readonly permanent?: boolean }).permanent === false) throw error;
    return { file, problems: [{ message: messageOf(error), hint }] };
  }
}

function printFinding(terminal: Terminal, { file, subject, problems }: Finding): void {
  const where = subject === undefined ? file : `${file} as ${subject}`;
  if (problems.length === 0) terminal.out(`${where}: no problems found\n`);
  for (const { message, hint } of problems) {
    terminal.out(`${where}: ${message}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`);
  }
}

function registerCommand({ terminal, act }: CommandContext): Command {
  return command('register', 'Registers a schema if needed and prints its id.', [
    'millrace schema register schemas/payment.v1.avsc --topic payments.v1',
    'millrace schema register schemas/money.proto --subject money.proto --registry http://127.0.0.1:8081',
  ])
    .argument('<file>', 'schema: .avsc, .proto or .json')
    .addOption(subjectOption())
    .addOption(topicOption())
    .addOption(registryOption())
    .action((file: string, flags: Flags) =>
      act(flags, async () => {
        const subject = neededSubject(flags);
        const schema = await schemaInFile(file, subject);
        await soundness(schema);
        const { registerSchema } = await import('../../schema/index.js');
        const id = await registerSchema(schema, await registryOf(flags));
        terminal.out(flags.json ? `${JSON.stringify({ subject, id })}\n` : `${subject}: schema ${id}\n`);
        return exitCodes.ok;
      }),
    );
}

function neededSubject(flags: Flags): string {
  const subject = subjectOf(flags);
  if (subject === undefined)
    throw new MillraceError('config', 'no subject is given', { hint: 'give --topic or --subject' });
  return subject;
}

function diffCommand({ terminal, act }: CommandContext): Command {
  return command('diff', 'Prints the changes between two versions of a schema, and their compatibility.', [
    'millrace schema diff schemas/payment.v1.avsc schemas/payment.v2.avsc',
    'millrace schema diff schemas/payment.v1.avsc --topic payments.v1',
  ])
    .argument('<before>', 'the older schema; with --topic or --subject the newer one, compared with the registry')
    .argument('[after]', 'the newer schema')
    .addOption(subjectOption())
    .addOption(topicOption())
    .addOption(registryOption())
    .action((first: string, second: string | undefined, flags: Flags) =>
      act(flags, async () => {
        const { compareSchemas } = await import('../../schema/compare/index.js');
        const [before, after] =
          second === undefined
            ? [await registered(neededSubject(flags), flags), await textIn(first)]
            : [await textIn(first), await textIn(second)];
        const { changes, backward, forward } = compareSchemas(before, after);
        if (flags.json) {
          terminal.out(`${JSON.stringify({ changes, backward, forward })}\n`);
        } else {
          for (const { kind, path, was, is } of changes) {
            const sign = { added: '+', removed: '-', changed: '~' }[kind];
            terminal.out(`${sign} ${path}: ${[was, is].filter((side) => side !== undefined).join('  ->  ')}\n`);
          }
          if (changes.length === 0) terminal.out('no field changed\n');
          printVerdict(terminal, 'backward', 'the new version can read data of the old one', backward);
          printVerdict(terminal, 'forward', 'the old version can read data of the new one', forward);
        }
        return backward.length === 0 ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

function printVerdict(terminal: Terminal, name: string, meaning: string, problems: readonly string[]): void {
  terminal.out(`${name} compatible (${meaning}): ${problems.length === 0 ? 'yes' : 'no'}\n`);
  for (const problem of problems) terminal.out(`  ${problem}\n`);
}

function typesCommand({ terminal, act }: CommandContext): Command {
  return command('types', 'Prints the TypeScript interfaces of a schema.', [
    'millrace schema types schemas/payment.v1.avsc > schemas/payment.v1.types.ts',
    'millrace schema types schemas/payment.proto#payments.v1.Payment --long bigint',
  ])
    .argument('<file>', 'schema: .avsc, .proto (FILE#message for one message) or .json')
    .addOption(
      new Option('--long <type>', 'type of 64-bit integers; must match the option in the schema').choices([
        'number',
        'bigint',
      ]),
    )
    .addOption(
      new Option('--timestamp <type>', 'type of timestamps; must match the option in the schema').choices([
        'number',
        'date',
      ]),
    )
    .action(
      (file: string, flags: Flags & { readonly long?: 'number' | 'bigint'; readonly timestamp?: 'number' | 'date' }) =>
        act(flags, async () => {
          const { typesOf } = await import('../../schema/typescript/index.js');
          const schema = await textIn(file);
          const types = typesOf(schema, { long: flags.long, timestamp: flags.timestamp, message: file.split('#')[1] });
          terminal.out(flags.json ? `${JSON.stringify({ types })}\n` : `${types}\n`);
          return exitCodes.ok;
        }),
    );
}

async function textIn(file: string): Promise<SchemaText> {
  const { schemaTextOf } = await import('../../schema/index.js');
  const schema = await schemaInFile(file, file);
  await soundness(schema);
  return schemaTextOf(schema);
}

async function registered(subject: string, flags: Flags): Promise<SchemaText> {
  const latest = await (await registryOf(flags)).latest(subject);
  if (latest !== undefined) return latest.schema;
  throw new MillraceError('schema', `the registry has no subject ${subject}`, {
    where: subject,
    hint: 'millrace schema register FILE --subject NAME',
  });
}

async function registryOf(flags: Flags): Promise<ConfluentRegistry> {
  const [{ confluentRegistry }, { registryOptions }] = await Promise.all([
    import('../../schema/index.js'),
    import('../../profiles/registry-options.js'),
  ]);
  return confluentRegistry(await registryOptions(await readConfig({ registry: flags.registry })));
}
