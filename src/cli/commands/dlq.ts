import type { Command } from 'commander';
import { letterKey } from '../../../connectors/kafka/dead-letter-record.js';
import { MillraceError } from '../../core/errors.js';
import type { OpenProfile } from '../../profiles/profiles.js';
import { countLetters, type FoundLetter, type LetterFilter } from '../../topics/dead-letters.js';
import type { CodecOf } from '../../topics/find-letters.js';
import { counted } from '../../util/counted.js';
import { exitCodes } from '../../util/terminal.js';
import { textTable } from '../../util/text-table.js';
import { type CommandContext, command, group, profileOptions, wholeNumber } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';

interface DlqFlags {
  readonly reason?: string;
  readonly step?: string;
  readonly partition?: number;
  readonly offsets?: string;
  readonly limit: number;
  readonly again?: boolean;
  readonly yes?: boolean;
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace dlq`: what could not be processed: counted, looked at, sent again. */
export function dlqCommand(context: CommandContext): Command {
  return group('dlq', 'Counts, shows and replays dead letters.', [
    'millrace dlq list payments.ts',
    'millrace dlq show payments.ts --reason amount --limit 3',
    'millrace dlq replay payments.ts --reason amount --yes',
  ])
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(replayCommand(context));
}

function listCommand({ terminal, act }: CommandContext): Command {
  const list = command('list', 'Counts dead letters by reason and step.', [
    'millrace dlq list payments.ts',
    'millrace dlq list payments.dead --profile cluster --json',
  ]);
  return selecting(list).action((where: string, flags: DlqFlags) =>
    act(flags, () =>
      withLetters(where, flags, async ({ topic, letters }) => {
        const rows = await countLetters(letters);
        terminal.out(flags.json ? `${JSON.stringify({ topic, letters: rows })}\n` : textTable(rows));
      }),
    ),
  );
}

function showCommand({ terminal, act }: CommandContext): Command {
  const show = command('show', 'Prints dead letters, one JSON object per line; decoded if a topology file is given.', [
    'millrace dlq show payments.ts --limit 1',
    'millrace dlq show payments.dead --partition 0 --offsets 10-20',
  ]).option('--limit <records>', 'maximum number of dead letters', wholeNumber, 10);
  return selecting(show).action((where: string, flags: DlqFlags) =>
    act(flags, () =>
      withLetters(where, flags, async ({ letters, codecOf }) => {
        const { letterFacts } = await import('../../topics/find-letters.js');
        let shown = 0;
        for await (const letter of letters) {
          if (shown === flags.limit) break;
          shown += 1;
          terminal.out(`${JSON.stringify(await letterFacts(letter, codecOf))}\n`);
        }
      }),
    ),
  );
}

function replayCommand({ terminal, act }: CommandContext): Command {
  const replay = command('replay', 'Sends dead letters back to their original topic and partition.', [
    'millrace dlq replay payments.ts --reason amount            what would be sent',
    'millrace dlq replay payments.ts --reason amount --yes      sends it',
  ])
    .option('--again', 'also dead letters of records that were already replayed')
    .option('--yes', 'send the records; without it nothing is written');
  return selecting(replay).action((where: string, flags: DlqFlags) =>
    act(flags, () =>
      withLetters(where, flags, async ({ topic, letters, profile }) => {
        const { replay: send } = await import('../../topics/replay.js');
        const producer = flags.yes ? profile.producer() : undefined;
        try {
          const chosen = flags.again ? letters : only(letters, ({ replayed }) => !replayed);
          const rows = await send(chosen, topic, producer);
          const sent = flags.yes ?? false;
          if (flags.json) terminal.out(`${JSON.stringify({ topic, sent, records: rows })}\n`);
          else terminal.out(`${textTable(rows)}${sent ? 'sent' : 'nothing was sent: pass --yes to send'}\n`);
        } finally {
          await producer?.close();
        }
      }),
    ),
  );
}

const selecting = (letters: Command): Command => {
  const shared = profileOptions();
  return letters
    .argument('<from>', 'topology file, or the name of a dead-letter topic')
    .option('--reason <reason>', 'only dead letters with this reason')
    .option('--step <id>', 'only dead letters of this step')
    .option('--partition <number>', 'only this partition of the dead-letter topic', wholeNumber)
    .option('--offsets <first-last>', 'only these offsets of the dead-letter topic')
    .addOption(shared.profile)
    .addOption(shared.data);
};

interface Letters {
  readonly profile: OpenProfile;
  readonly topic: string;
  readonly letters: AsyncIterable<FoundLetter>;
  readonly codecOf: CodecOf;
}

async function withLetters(from: string, flags: DlqFlags, use: (letters: Letters) => Promise<void>) {
  const filter: LetterFilter = { ...flags, offsets: rangeOf(flags.offsets) };
  const [{ openProfile }, { findLetters, letterPlaceOf, openLetterCodecs }] = await Promise.all([
    import('../../profiles/profiles.js'),
    import('../../topics/find-letters.js'),
  ]);
  // A file names a topology, whose dead letters are meant; anything else is a topic.
  const isFile = /\.[cm]?[jt]sx?(#|$)/.test(from);
  const place = isFile ? letterPlaceOf(await loadTopology(from), from) : { topic: from, schemas: new Map() };
  const { topic } = place;
  const config = await readConfig({ profile: flags.profile, data: flags.data });
  const key = letterKey(config.deadLetterKey);
  const profile = await openProfile(config, { besideOwner: true });
  try {
    await mustHave(profile, topic, filter.partition);
    const codecOf = await openLetterCodecs(place, profile.schemas);
    await use({ profile, topic, letters: findLetters(profile, topic, filter, key), codecOf });
  } finally {
    await profile.close();
  }
  return exitCodes.ok;
}

/** A filter that nothing can match is a mistake, and not an empty result. */
async function mustHave(profile: OpenProfile, topic: string, partition: number | undefined): Promise<void> {
  if (partition === undefined) return;
  const { length: partitions } = await profile.offsetsAt(topic, 'latest');
  if (partition < partitions) return;
  throw new MillraceError('config', `topic ${topic} has no partition ${partition}`, {
    where: '--partition',
    hint: `it has ${counted(partitions, 'partition')}, from 0 on`,
  });
}

function rangeOf(text: string | undefined): LetterFilter['offsets'] {
  if (text === undefined) return undefined;
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first !== undefined && Number(first) <= Number(last ?? first))
    return { first: Number(first), last: Number(last ?? first) };
  throw new MillraceError('config', `--offsets cannot be '${text}'`, {
    where: '--offsets',
    hint: 'one offset, or two with a hyphen, the lower one first: 10-20',
  });
}

async function* only<T>(items: AsyncIterable<T>, isWanted: (item: T) => boolean): AsyncGenerator<T> {
  for await (const item of items) if (isWanted(item)) yield item;
}
