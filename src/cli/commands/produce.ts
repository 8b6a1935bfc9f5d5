import type { Command } from 'commander';
import { MillraceError } from '../../core/errors.js';
import { counted } from '../../util/counted.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions, wholeNumber } from '../command.js';
import { readConfig } from '../load/config-file.js';

interface ProduceFlags {
  readonly schema?: string;
  readonly key?: string;
  readonly time?: string;
  readonly partitions?: number;
  readonly config?: readonly string[];
  readonly profile?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace produce`: newline-delimited JSON from the standard input into a topic. */
export function produceCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command('produce', 'Writes newline-delimited JSON from standard input to a topic.', [
    'millrace produce payments.v1 --schema schemas/payment.v1.avsc --key card --time paidAt < data/payments.ndjson',
    'millrace produce payments.v1 --profile cluster --schema schemas/payment.v1.avsc < data/payments.ndjson',
  ])
    .argument('<topic>', 'topic to append to; created if missing')
    .option(
      '--schema <file>',
      'schema of the values: .avsc, .proto (FILE#message) or .json (default: plain JSON, as it is)',
    )
    .option('--key <field>', 'field that becomes the key: equal keys stay in one partition')
    .option('--time <field>', 'field with the event time (default: the current time)')
    .option('--partitions <number>', 'partitions of a new topic (default: 1)', wholeNumber)
    .option(
      '--config <name=value...>',
      'configs of a new topic, such as retention.ms=604800000; on the embedded profile also of an existing one',
    )
    .addOption(shared.profile)
    .addOption(shared.data)
    .action((topic: string, flags: ProduceFlags) =>
      act(flags, async () => {
        const [{ openProfile }, { openCodec }, { onlyFieldsOf }, { schemaOf }, { produce }, { readNdjson }] =
          await Promise.all([
            import('../../profiles/profiles.js'),
            import('../../schema/index.js'),
            import('../../schema/shape/index.js'),
            import('../schema-file.js'),
            import('../../topics/produce.js'),
            import('../../topics/ndjson.js'),
          ]);
        // JSON has no dates.
        const schema = await schemaOf(topic, flags.schema, { timestamp: 'number' });
        const profile = await openProfile(await readConfig({ profile: flags.profile, data: flags.data }), {
          besideOwner: true,
        });
        try {
          const producer = profile.producer();
          try {
            const records = await produce(producer, readNdjson(process.stdin), {
              topic,
              partitions: flags.partitions,
              configs: configsIn(flags.config ?? []),
              codec: await openCodec(schema, profile.schemas),
              asRead: flags.schema === undefined,
              fields: await onlyFieldsOf(schema),
              keyField: flags.key,
              timeField: flags.time,
              nowMs: Date.now(),
            });
            terminal.out(
              flags.json
                ? `${JSON.stringify({ topic, records })}\n`
                : `${topic}: ${counted(records, 'record')} written\n`,
            );
          } finally {
            await producer.close();
          }
        } finally {
          await profile.close();
        }
        return exitCodes.ok;
      }),
    );
}

function configsIn(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^([a-z.]+)=(.+)$/.exec(text) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      const hint = 'give a name and a value, such as retention.ms=604800000';
      throw new MillraceError('config', `${text} is not a config`, { where: '--config', hint });
    }),
  );
}
