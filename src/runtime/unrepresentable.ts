import type { Change, Chunk, Origin, SinkWriter } from '../core/index.js';
import type { TaskStepContext } from './step-context.js';

/**
 * What a sink has no room for goes to the dead letters, in the order of the other letters of its round; the rest stays. Of a
 * change it stays that what was held before does not hold any more: the sink must not show it for ever.
 */
export function withoutUnrepresentable(
  writer: SinkWriter,
  context: TaskStepContext,
  chunk: Chunk,
  areChanges: boolean,
): Chunk {
  if (!writer.unrepresentable) return chunk;
  const unrepresentable = chunk.values.map((value) => writer.unrepresentable?.(value));
  if (unrepresentable.every((unrepresentable) => unrepresentable === undefined)) return chunk;
  const values: unknown[] = [];
  const origins: Origin[] = [];
  unrepresentable.forEach((unrepresentable, i) => {
    const origin = chunk.origins[i] as Origin;
    let value = chunk.values[i];
    if (unrepresentable !== undefined) {
      context.origin = origin;
      context.deadLetter('unrepresentable', unrepresentable);
      if (!areChanges) return;
      value = { ...(value as Change<unknown>), after: null };
      if (writer.unrepresentable?.(value) !== undefined) return;
    }
    values.push(value);
    origins.push(origin);
  });
  context.origin = undefined; // whatever fails later is not about these
  return { ...chunk, values, origins };
}
