import type { SinkWriter } from '../../src/core/io.js';
import { Outflow, PIECE_MAX } from './outflow.js';
import type { Keyed } from './server/connection.js';
import { allAnswered, type Server } from './server/server.js';

/** What a sink publishes of a value, and where. */
export interface Publishing {
  readonly channel: (value: unknown) => string;
  readonly message: (value: unknown) => string | Buffer;
  /** Why a value cannot be published. */
  readonly unrepresentable: (value: unknown) => string | undefined;
}

/** Publishes messages in their order; those of a go whose answer is lost are published again. */
export class PublishWriter implements SinkWriter {
  private readonly out: Outflow<Keyed, readonly Keyed[]>;

  constructor(
    private readonly publishing: Publishing,
    server: Server,
  ) {
    this.out = new Outflow<Keyed, readonly Keyed[]>(
      (waiting) => waiting.splice(0, PIECE_MAX),
      (piece) => server.attempt('cannot publish', async (on) => void allAnswered(await on.send(piece))),
    );
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
    return this.out.flush();
  }

  close(): Promise<void> {
    return this.out.close();
  }
}
