import type { Command } from 'commander';
import { MillraceError } from '../../core/errors.js';
import type { ConnectorKind } from '../../core/options.js';
import type { Sink } from '../../core/sink.js';
import { settings } from '../../profiles/settings.js';
import { exitCodes } from '../../util/terminal.js';
import { textTable } from '../../util/text-table.js';
import { type CommandContext, command, group } from '../command.js';
import { connectorKinds, connectorOf, defaultText } from '../connector-kinds.js';
import { deliveryOn } from '../guarantees.js';

interface Style {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

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
  command('list', 'Lists all kinds of sources, sinks and lookups.', ['millrace connectors list']).action(
    (style: Style) =>
      act(style, async () => {
        const rows = connectorKinds.map(({ kind, role, doc }) => ({ kind, role, doc }));
        terminal.out(style.json ? `${JSON.stringify(rows)}\n` : textTable(rows));
        return exitCodes.ok;
      }),
  );

const showCommand = ({ terminal, act }: CommandContext): Command =>
  command('show', 'Prints the description, delivery guarantee and options of a kind.', [
    'millrace connectors show http.webhookSink',
    'millrace connectors show kafka',
  ])
    .argument('<name>', 'a kind such as http.webhookSink, or a connector such as kafka')
    .action((name: string, style: Style) =>
      act(style, async () => {
        const shown = kindsNamed(name);
        terminal.out(style.json ? `${JSON.stringify(shown.map(dataOf))}\n` : shown.map(textOf).join('\n'));
        return exitCodes.ok;
      }),
    );

function kindsNamed(name: string): readonly ConnectorKind[] {
  const shown = connectorKinds.filter(({ kind }) => kind === name || connectorOf(kind) === name);
  if (shown.length > 0) return shown;
  throw new MillraceError('config', `there is no connector ${name}`, {
    hint: `there are: ${connectorKinds.map(({ kind }) => kind).join(', ')}`,
  });
}

const optionsOf = ({ options }: ConnectorKind) =>
  Object.entries(options).map(([name, spec]) => ({
    name,
    type: spec.type.text,
    default: defaultText(spec),
    doc: spec.doc,
  }));

const dataOf = (kind: ConnectorKind) => ({ ...kind, options: optionsOf(kind), delivery: deliveryOf(kind) });

/** By profile; of sinks alone. */
function deliveryOf({ kind, role }: ConnectorKind): Readonly<Record<string, string>> | undefined {
  if (role !== 'sink') return undefined;
  const sink = { connector: connectorOf(kind), kind } as Sink<unknown>;
  return Object.fromEntries(settings.profile.values.map((profile) => [profile, deliveryOn(profile)(sink)]));
}

function textOf(kind: ConnectorKind): string {
  const connector = connectorOf(kind.kind);
  const guarantees = Object.entries(deliveryOf(kind) ?? {}).map(([profile, delivery]) => `  ${profile}: ${delivery}\n`);
  const options = optionsOf(kind).map(({ name, type, default: fallback, doc }) => {
    const what = [type.replaceAll('`', ''), fallback === 'required' ? fallback : fallback && `default ${fallback}`];
    return `  ${name}  (${what.filter(Boolean).join(', ')})\n      ${doc}\n`;
  });
  return [
    `${kind.kind}  ${kind.role}\n`,
    `${kind.doc}\n`,
    `\n  import { ${connector} } from 'millrace/connectors/${connector}';\n`,
    ...(guarantees.length > 0 ? ['\nDelivery by profile:\n', ...guarantees] : []),
    '\nOptions:\n',
    ...options,
  ].join('');
}
