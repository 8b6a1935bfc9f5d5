import { Command, InvalidArgumentError, Option } from 'commander';
import type { SettingSpecs } from '../core/connector.js';
import { profileSettings } from '../profiles/settings.js';
import type { ErrorStyle, ExitCode, Terminal } from '../util/terminal.js';

/** What every command gets from the program. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Every setting of profiles and of the connectors that come with Millrace, for `--help`. */
  readonly settings: SettingSpecs;
  /** Runs the work of a command; reports what it throws in the style asked for. */
  act(style: ErrorStyle, work: () => Promise<ExitCode>): Promise<void>;
}

/** A command with the options that all of them share. */
export const command = (usage: string, description: string, examples: readonly string[]): Command =>
  new Command(usage)
    .description(description)
    .option('--json', 'print one JSON object')
    .option('--verbose', 'print the causes and stacks of errors')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);

/** A command that only has commands of its own. */
export const group = (name: string, description: string, examples: readonly string[]): Command =>
  new Command(name)
    .description(description)
    .helpCommand(false)
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);

/** The options of commands that open a profile. */
export const profileOptions = () => ({
  profile: new Option(
    '--profile <name>',
    'embedded: everything in this process; cluster: Kafka, Redis, ClickHouse',
  ).choices(profileSettings.profile.values),
  data: new Option('--data <folder>', 'folder of the embedded profile'),
});

/** Parses a whole number of an option. */
export const wholeNumber = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};

/** Parses a number of something that there must be. */
export const oneOrMore = (text: string): number => {
  const number = wholeNumber(text);
  if (number < 1) throw new InvalidArgumentError('It must be 1 or more.');
  return number;
};
