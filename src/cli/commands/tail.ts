import type { Command } from 'commander';
import { onInterrupt } from '../../util/interrupt.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions, wholeNumber } from '../command.js';
import { readConfig } from '../load/config-file.js';

interface TailFlags {
  readonly schema?: string;
  readonly from: string;
  readonly follow?: boolean;
  readonly limit?: number;
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace tail`: the committed records of a topic, as newline-delimited JSON. */
export function tailCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('tail', 'Prints the committed records of a topic, one JSON object per line; commits no offsets.', [
    'millrace tail payments.scored.v1 --schema schemas/scored.v1.avsc --limit 5',
    'millrace tail payments.dead --from 2026-01-31T12:00:00Z',
    'millrace tail payments.scored.v1 --profile cluster --from latest --follow',
  ])
    .argument('<topic>', 'topic to read')
    .option('--schema <file>', 'schema of the values: .avsc, .proto (FILE#message) or .json (default: plain JSON)')
    .option('--from <point>', 'earliest, latest, an offset (in every partition) or a time', 'earliest')
    .option('--follow', 'continue with new records until Ctrl-C')
    .option('--limit <records>', 'maximum number of records (default: 100, or no limit with --follow)', wholeNumber)
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((topic: string, flags: TailFlags) =>
      act(flags, async () => {
        const [{ openProfile }, { openDecoder }, { schemaOf }, { shown }, { followTopic, readTopic, startOf }] =
          await Promise.all([
            import('../../profiles/profiles.js'),
            import('../../schema/index.js'),
            import('../schema-file.js'),
            import('../../topics/tail.js'),
            import('../../topics/read-topic.js'),
          ]);
        const start = startOf(flags.from, '--from');
        const schema = await schemaOf(topic, flags.schema);
        const limit = flags.limit ?? (flags.follow ? Number.POSITIVE_INFINITY : 100);
        const profile = await openProfile(await readConfig({ profile: flags.profile, data: flags.data }), {
          besideOwner: true,
        });
        const stop = new AbortController();
        const forget = flags.follow ? onInterrupt({ err: () => {} }, () => stop.abort()) : () => {};
        try {
          const codec = await openDecoder(schema, profile.schemas);
          const records = flags.follow
            ? followTopic(profile, topic, start, stop.signal)
            : readTopic(profile, topic, start);
          let printed = 0;
          for await (const record of records) {
            if (printed === limit) break;
            terminal.out(`${JSON.stringify(await shown(record, codec))}\n`);
            printed += 1;
            if (printed === limit) break;
          }
        } finally {
          forget();
          await profile.close();
        }
        return exitCodes.ok;
      }),
    );
}
