import type { Command } from 'commander';
import type { ConnectorDefinition } from '../../core/connector.js';
import { connectorOf, isConnectorDefinition, variableOf } from '../../core/connector.js';
import { MillraceError } from '../../core/errors.js';
import { type KindDefinition, writeModeOn } from '../../core/kind.js';
import type { OptionSpec } from '../../core/options.js';
import { builtInConnectors, connectorsOf, unique } from '../../profiles/built-in.js';
import { profileSettings } from '../../profiles/settings.js';
import { deliveryOf, isTopology } from '../../topology/index.js';
import { exitCodes } from '../../util/terminal.js';
import { textTable } from '../../util/text-table.js';
import { type CommandContext, command, group } from '../command.js';
import { loadModule } from '../load/load-module.js';

interface Style {
  readonly file?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const FILE = '--file <file>';
const FILE_DOC = 'tell also of the connectors of a topology file, or of a module that exports a connector';

/** `millrace connectors`: what topologies can read from, write to and look up in, with every option. */
export function connectorsCommand(context: CommandContext): Command {
  return group('connectors', 'Lists sources, sinks and lookups with their options.', [
    'millrace connectors list',
    'millrace connectors show http.webhookSink',
  ])
    .addCommand(listCommand(context))
    .addCommand(showCommand(context));
}

const listCommand = ({ terminal, act }: CommandContext): Command =>
  command('list', 'Lists all kinds of sources, sinks and lookups.', [
    'millrace connectors list',
    'millrace connectors list --file payments.ts',
  ])
    .option(FILE, FILE_DOC)
    .action((style: Style) =>
      act(style, async () => {
        const rows = (await kindsThere(style)).map(({ kind, role, doc }) => ({ kind, role, doc }));
        terminal.out(style.json ? `${JSON.stringify(rows)}\n` : textTable(rows));
        return exitCodes.ok;
      }),
    );

const showCommand = ({ terminal, act }: CommandContext): Command =>
  command('show', 'Prints the description, delivery guarantee and options of a kind.', [
    'millrace connectors show http.webhookSink',
    'millrace connectors show kafka',
    'millrace connectors show lines --file payments.ts',
  ])
    .argument('<name>', 'a kind such as http.webhookSink, or a connector such as kafka')
    .option(FILE, FILE_DOC)
    .action((name: string, style: Style) =>
      act(style, async () => {
        const shown = kindsNamed(name, await kindsThere(style));
        const own = new Set((await builtInConnectors()).map((connector) => connector.name));
        const text = shown.map((kind) => textOf(kind, own.has(kind.connector.name))).join('\n');
        terminal.out(style.json ? `${JSON.stringify(shown.map(dataOf))}\n` : text);
        return exitCodes.ok;
      }),
    );

async function kindsThere({ file }: Style): Promise<readonly KindDefinition[]> {
  const found = unique([...(await builtInConnectors()), ...(file === undefined ? [] : await connectorsIn(file))]);
  return found.flatMap(({ kinds }) => Object.values(kinds));
}

/** The connectors that a file exports, and those of the topologies that it exports. */
async function connectorsIn(file: string): Promise<readonly ConnectorDefinition[]> {
  const exported = Object.values(await loadModule(file));
  return unique([
    ...exported.filter(isConnectorDefinition),
    ...exported.filter(isTopology).flatMap((topology) => connectorsOf(topology)),
  ]);
}

function kindsNamed(name: string, kinds: readonly KindDefinition[]): readonly KindDefinition[] {
  const shown = kinds.filter(({ kind, connector }) => kind === name || connector.name === name);
  if (shown.length > 0) return shown;
  const [connectorName] = name.split('.');
  const related = kinds.filter(({ connector }) => connector.name === connectorName);
  const named = related.length > 0 ? related : kinds;
  throw new MillraceError('config', `there is no connector ${name}`, {
    hint: `there are: ${named.map(({ kind }) => kind).join(', ')}; --file FILE shows those of a topology`,
  });
}

/** The default of an option, as it reads in tables. */
export function defaultText({ need, type, fallback }: OptionSpec): string {
  if (need === 'required') return 'required';
  return fallback === undefined ? '' : String(type.show(fallback as never) ?? '');
}

const optionsOf = ({ options }: KindDefinition) =>
  Object.entries(options).map(([name, spec]) => ({
    name,
    type: spec.type.text,
    default: defaultText(spec),
    doc: spec.doc,
  }));

const settingsOf = (kind: KindDefinition) =>
  Object.entries(connectorOf(kind).settings).map(([name, { description }]) => ({
    name,
    env: variableOf(name),
    description,
  }));

const dataOf = (kind: KindDefinition) => ({
  kind: kind.kind,
  role: kind.role,
  doc: kind.doc,
  options: optionsOf(kind),
  delivery: deliveriesOf(kind),
  settings: settingsOf(kind),
});

/** By profile; of sinks alone. */
function deliveriesOf(kind: KindDefinition): Readonly<Record<string, string>> | undefined {
  if (kind.role !== 'sink') return undefined;
  const { values } = profileSettings.profile;
  return Object.fromEntries(values.map((profile) => [profile, deliveryOf(writeModeOn(kind, profile))]));
}

/** `isOwn`: it comes with Millrace, so it is known how it is imported. */
function textOf(kind: KindDefinition, isOwn: boolean): string {
  const guarantees = Object.entries(deliveriesOf(kind) ?? {}).map(
    ([profile, delivery]) => `  ${profile}: ${delivery}\n`,
  );
  const options = optionsOf(kind).map(({ name, type, default: fallback, doc }) => {
    const what = [type.replaceAll('`', ''), fallback === 'required' ? fallback : fallback && `default ${fallback}`];
    return `  ${name}  (${what.filter(Boolean).join(', ')})\n      ${doc}\n`;
  });
  const settings = settingsOf(kind).map(({ env, description }) => `  ${env}  ${description}\n`);
  return [
    `${kind.kind}  ${kind.role}\n`,
    `${kind.doc}\n`,
    ...(isOwn ? [`\n  import { ${kind.connector.name} } from 'millrace/connectors/${kind.connector.name}';\n`] : []),
    ...(guarantees.length > 0 ? ['\nDelivery by profile:\n', ...guarantees] : []),
    '\nOptions:\n',
    ...options,
    ...(settings.length > 0 ? [`\nSettings of ${kind.connector.name}:\n`, ...settings] : []),
  ].join('');
}
