import { type Chunk, MillraceError, type SinkWriter, unwritable } from '../core/index.js';

/**
 * Gives a chunk to a sink. What a callback of the sink throws is told with the sink's id: an error of the language says
 * neither whose callback it was nor that it was one.
 */
export function written(writer: SinkWriter, step: string, { values, origins }: Chunk): Promise<void> | undefined {
  const named = (error: unknown): never => {
    throw error instanceof MillraceError ? error : unwritable(error, step);
  };
  try {
    return writer.write(values, origins)?.catch(named) ?? undefined;
  } catch (error) {
    return named(error);
  }
}
