import { readerAround, type SinkWriter, type SourceReader } from '../core/index.js';
import type { PendingOperations, Reason } from './pending-operations.js';

// The places where a task waits for the world outside, made visible: what is asked and not yet answered is in `waits`.

/** A reader whose polls can be seen. */
export function instrumentedReader(reader: SourceReader, source: string, waits: PendingOperations): SourceReader {
  const reason: Reason = { kind: 'source', id: source };
  return readerAround(reader, { poll: (recordsMax) => waits.track(reason, reader.poll(recordsMax)) });
}

/** A writer whose answers can be waited for in sight, and whose failures are told, with the sink's id, before they spread. */
export function instrumentedWriter(
  writer: SinkWriter,
  sink: string,
  waits: PendingOperations,
  onFailure: (sink: string, error: unknown) => void,
): SinkWriter {
  const reason: Reason = { kind: 'sink', id: sink };
  const watched = <T>(work: () => T): T => {
    try {
      const result = work();
      if (!(result instanceof Promise)) return result;
      return waits.track(reason, result.catch(failed)) as T;
    } catch (error) {
      return failed(error);
    }
  };
  const failed = (error: unknown): never => {
    onFailure(sink, error);
    throw error;
  };
  return {
    ...(writer.unrepresentable ? { unrepresentable: (value) => writer.unrepresentable?.(value) } : {}),
    write: (values, origins) => watched(() => writer.write(values, origins)),
    recover: (values, origins) =>
      watched(() => (writer.recover ? writer.recover(values, origins) : writer.write(values, origins))),
    mark: (mark) => watched(() => writer.mark?.(mark)),
    finish: () => writer.finish?.(),
    isDue: () => writer.isDue?.() ?? false,
    prepare: async () => watched(() => writer.prepare?.()),
    commit: async () => watched(() => writer.commit?.()),
    close: () => writer.close(),
  };
}
