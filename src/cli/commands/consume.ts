import type { Command } from 'commander';
import { type CommandContext, command, profileOptions, wholeNumber } from '../command.js';
import { readConfig } from '../config-file.js';
import { exitCodes } from '../terminal.js';

interface ConsumeFlags {
  readonly schema?: string;
  readonly limit: number;
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace consume`: what a topic holds, as newline-delimited JSON. */
export function consumeCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('consume', 'Prints what a topic holds now, as newline-delimited JSON; moves no position.', [
    'millrace consume payments.scored.v1 --schema schemas/scored.v1.avsc --limit 5',
    'millrace consume payments.dead --limit 5',
  ])
    .argument('<topic>', 'topic to read from its beginning')
    .option('--schema <file>', 'Avro schema of the values; plain JSON without it')
    .option('--limit <records>', 'how many at most', wholeNumber, 100)
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((topic: string, flags: ConsumeFlags) =>
      act(flags, async () => {
        const [{ openProfile }, { openCodec }, { schemaOf }, { consume }, { kafka }] = await Promise.all([
          import('../profiles.js'),
          import('../../schema/index.js'),
          import('../schema-file.js'),
          import('../consume.js'),
          import('../../../connectors/kafka/index.js'),
        ]);
        const schema = schemaOf(topic, flags.schema);
        const profile = await openProfile(await readConfig({ profile: flags.profile, data: flags.data }));
        try {
          const codec = await openCodec(schema, profile.schemas);
          let printed = 0;
          for await (const record of consume(profile, kafka.source({ topic, schema }), codec)) {
            if (printed === flags.limit) break;
            terminal.out(`${JSON.stringify(record)}\n`);
            printed += 1;
          }
        } finally {
          await profile.close();
        }
        return exitCodes.ok;
      }),
    );
}
