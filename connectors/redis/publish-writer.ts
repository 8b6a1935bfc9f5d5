import { BatchingWriter } from '../../src/connect/batching-writer.js';
import type { SinkWriter } from '../../src/core/sink.js';
import type { Keyed } from './server/connection.js';
import { allAnswered, type Server } from './server/server.js';

/** The most commands of one pipeline. */
const COMMANDS_MAX = 1_000;

/** The message and the channel of a value. */
export interface Publishing {
  readonly channel: (value: unknown) => string;
  readonly message: (value: unknown) => string | Buffer;
  /** Why a value cannot be published. */
  readonly unrepresentable: (value: unknown) => string | undefined;
}

/** Publishes messages in order. If the answer to a pipeline is lost, its messages are published again. */
export class PublishWriter implements SinkWriter {
  private readonly out: BatchingWriter<Keyed>;

  constructor(
    private readonly publishing: Publishing,
    server: Server,
  ) {
    this.out = new BatchingWriter<Keyed>({
      batchMax: COMMANDS_MAX,
      unsentMax: 10 * COMMANDS_MAX,
      batch: (commands) => () =>
        server.attempt('cannot publish', async (on) => void allAnswered(await on.send(commands))),
    });
  }

  unrepresentable(value: unknown): string | undefined {
    return this.publishing.unrepresentable(value);
  }

  write(values: readonly unknown[]): void | Promise<void> {
    const { channel, message } = this.publishing;
    return this.out.put(
      values.map((value): Keyed => {
        const name = channel(value);
        return { key: name, command: ['publish', name, message(value)] };
      }),
    );
  }

  prepare(): Promise<void> {
    return this.out.drain();
  }

  close(): Promise<void> {
    return this.out.close();
  }
}
