import { createReadStream, statSync } from 'node:fs';
import { MillraceError } from '../core/errors.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { openCodec } from '../schema/index.js';
import { readNdjson } from '../topics/ndjson.js';
import { produce } from '../topics/produce.js';
import { offsetsOf, type Start } from '../topics/read-topic.js';
import type { SourceNode, Topology } from '../topology/index.js';
import type { Slice } from './verification.js';

/** Files given in the place of topics, by source. */
export type InputFiles = ReadonlyMap<string, string>;

/**
 * Reads `--input FILE` (of a topology with one source) or `--input SOURCE=FILE`, each given once.
 *
 * @throws MillraceError `config` for an argument that names no source or no file.
 */
export function inputFiles(given: readonly string[], { sources }: Pick<Topology, 'sources'>): InputFiles {
  const files = new Map<string, string>();
  for (const text of given) {
    const split = text.indexOf('=');
    const named = split > 0 && sources.some(({ id }) => id === text.slice(0, split));
    const id = named ? text.slice(0, split) : sources.length === 1 ? sources[0]?.id : undefined;
    const file = named ? text.slice(split + 1) : text;
    if (id === undefined) {
      throw new MillraceError('config', `--input ${text} names none of the sources`, {
        where: '--input',
        hint: `name its source: ${sources.map((source) => `--input ${source.id}=FILE`).join(' ')}`,
      });
    }
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found || found.isDirectory()) {
      throw new MillraceError('config', found ? 'is a folder' : 'no such file', {
        where: file,
        hint: '--input takes newline-delimited JSON, one event a line',
      });
    }
    files.set(id, file);
  }
  return files;
}

export interface LoadOptions {
  readonly topic: string;
  readonly file: string;
  readonly partitions: number;
  readonly keyField: string | undefined;
  readonly timeField: string | undefined;
}

/** Writes a file of JSON lines into a topic of the verification's own. */
export async function loadInput(
  profile: OpenProfile,
  { source }: SourceNode,
  { topic, file, ...fields }: LoadOptions,
): Promise<void> {
  const producer = profile.producer();
  try {
    await produce(producer, readNdjson(createReadStream(file)), {
      topic,
      codec: await openCodec(source.schema, profile.schemas),
      nowMs: Date.now(),
      ...fields,
    });
  } finally {
    await producer.close();
  }
}

/** What a topic holds now, from a point on. */
export async function sliceOf(profile: OpenProfile, topic: string, start: Start): Promise<Slice> {
  return { from: await offsetsOf(profile, topic, start), to: await profile.endOffsets(topic) };
}
