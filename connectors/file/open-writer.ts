import type { SchemaRegistry } from '../../src/core/schema.js';
import type { SinkContext, SinkWriter } from '../../src/core/sink.js';
import type { WriteFiles } from './kinds.js';
import { type PartLocation, type PartStore, RollingWriter } from './rolling-writer.js';
import { openRowEncoder } from './row-encoder.js';
import { endingOf } from './row-format.js';

/** The owner of parts, in a store that several tasks write to. */
export const ownerOf = ({ task, step }: SinkContext): string =>
  `${task.topology.replaceAll('/', '.')}.${step}.${task.partition}`;

export interface WriterParts {
  readonly store: PartStore;
  readonly connector: PartLocation['connector'];
  readonly schemas: SchemaRegistry;
  readonly now: () => number;
}

/** Opens the writer of a task on any store of parts, at its last checkpoint. */
export async function openWriter(
  { format, folder, by, roll }: WriteFiles,
  { task, incarnation, committable }: SinkContext,
  { store, connector, schemas, now }: WriterParts,
): Promise<SinkWriter> {
  const writer = new RollingWriter({
    encoder: await openRowEncoder(format, schemas),
    store,
    location: { connector, folder },
    prefix: `part-${String(task.partition).padStart(5, '0')}-${incarnation}`,
    ending: endingOf(format),
    by,
    roll,
    now,
  });
  try {
    await writer.restore(committable as Parameters<RollingWriter['restore']>[0]);
  } catch (error) {
    await writer.close(); // closes the parts that it had opened
    throw error;
  }
  return writer;
}
