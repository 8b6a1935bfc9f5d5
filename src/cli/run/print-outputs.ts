import { definition as kafka } from '../../../connectors/kafka/definition.js';
import type { TopicSinkOptions } from '../../../connectors/kafka/topic-options.js';
import type { Config } from '../../profiles/settings.js';
import type { Topology } from '../../topology/index.js';

/** Lines a second of each topic. */
const LINES_MAX = 5;
const LINE_CHARACTERS = 300;

/**
 * Prints the records that a run writes to topics, as they become visible: at most five lines a second of each sink, and how many there
 * were beside them. Records from before the call are not printed. Resolves when `stopped` is aborted.
 */
export async function printOutputs(
  topology: Topology,
  config: Config,
  onLine: (line: string) => void,
  stopped: AbortSignal,
): Promise<void> {
  const [{ openProfile }, { openDecoder }, { followTopic }, { shown }] = await Promise.all([
    import('../../profiles/profiles.js'),
    import('../../schema/index.js'),
    import('../../topics/read-topic.js'),
    import('../../topics/tail.js'),
  ]);
  const profile = await openProfile(config, { besideOwner: true });
  try {
    const outputs = await Promise.all(
      topology.sinks
        .filter(({ sink }) => sink.connector === kafka.name)
        .map(async ({ id, sink }) => {
          const { topic, schema } = sink.options as TopicSinkOptions;
          const codec = await openDecoder<unknown>(schema, profile.schemas);
          return { id, topic, codec, offsets: await profile.offsetsAt(topic, 'latest') };
        }),
    );
    const names = outputs.map(({ id }) => id).join(', ');
    onLine(names === '' ? 'no sink writes to a topic: nothing is printed' : `new records of ${names} are printed`);
    await Promise.all(
      outputs.map(async ({ id, topic, codec, offsets }) => {
        const print = fewASecond((line) => onLine(`${id}: ${line}`));
        for await (const record of followTopic(profile, topic, { offsets }, stopped)) {
          const { value } = await shown(record, codec);
          print(() => shortened(JSON.stringify(value)));
        }
      }),
    );
  } finally {
    await profile.close();
  }
}

/** Prints the first lines of each second. The first of a later second says how many were left out. */
function fewASecond(print: (line: string) => void, now: () => number = Date.now) {
  let second = 0;
  let lines = 0;
  return (line: () => string): void => {
    const current = Math.floor(now() / 1_000);
    if (current !== second) {
      if (lines > LINES_MAX) print(`... and ${lines - LINES_MAX} more`);
      second = current;
      lines = 0;
    }
    lines += 1;
    if (lines <= LINES_MAX) print(line());
  };
}

const shortened = (text: string): string =>
  text.length > LINE_CHARACTERS ? `${text.slice(0, LINE_CHARACTERS)}...` : text;
