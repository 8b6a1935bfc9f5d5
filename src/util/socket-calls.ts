import { connect, createServer, type Server, type Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import { type ErrorCode, type ErrorDetails, MillraceError, messageOf } from '../core/errors.js';

/** The functions that a process offers to others on its machine, by name. Arguments and results are structured-cloneable. */
export type SocketCalls = Readonly<Record<string, (...args: never[]) => unknown>>;

/** What one client gets: its calls, and a function that is called when it has gone. */
export interface ServedClient {
  readonly calls: SocketCalls;
  onEnd(): void;
}

type Request = readonly [id: number, name: string, args: readonly unknown[]];
type Reply = readonly [id: number, answer: { readonly value: unknown } | { readonly error: SentError }];
type SentError = { readonly code: ErrorCode; readonly message: string } & Omit<ErrorDetails, 'cause'>;

/** The most bytes of a call or an answer. */
const FRAME_BYTES_MAX = 64 * 2 ** 20;
/** Calls of a client that are answered at once; later ones wait in its socket. */
const CALLS_MAX = 256;
const HEAD_BYTES = 4;

/**
 * Serves calls on a socket file to processes of the same user. Resolves when it listens. An idle server does not keep the process
 * alive. Memory: for each client the calls in progress, each at most 64 MiB.
 *
 * @example
 * const server = await serveSocketCalls('sums.sock', () => ({ calls: { add: (a: number, b: number) => a + b }, onEnd() {} }));
 */
export function serveSocketCalls(address: string, open: () => ServedClient): Promise<{ close(): Promise<void> }> {
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    const client = open();
    socket.on('error', () => undefined); // `close` follows
    socket.on('close', () => {
      clients.delete(socket);
      client.onEnd();
    });
    let inProgress = 0;
    const receive = framesOf((frame) => {
      const [id, name, args] = frame as Request;
      inProgress += 1;
      if (inProgress === CALLS_MAX) socket.pause();
      void answerOf(client.calls, id, name, args).then((answer) => {
        inProgress -= 1;
        socket.resume();
        if (!socket.destroyed) socket.write(answer);
      });
    });
    socket.on('data', (piece) => {
      try {
        receive(piece);
      } catch {
        socket.destroy(); // no client of ours
      }
    });
  });
  server.unref();
  return listening(server, address).then(() => ({
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.destroy();
      }),
  }));
}

const listening = (server: Server, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => resolve());
  });

async function answerOf(calls: SocketCalls, id: number, name: string, args: readonly unknown[]): Promise<Buffer> {
  try {
    if (!Object.hasOwn(calls, name)) throw new MillraceError('internal', `there is no call '${name}'`);
    const value = await (calls[name] as (...args: readonly unknown[]) => unknown)(...args);
    return framed([id, { value }] satisfies Reply);
  } catch (error) {
    const known = error instanceof MillraceError ? error : new MillraceError('internal', messageOf(error));
    const { code, message, where, hint, permanent } = known;
    const sent: SentError = { code, message, permanent, ...(where && { where }), ...(hint && { hint }) };
    return framed([id, { error: sent }] satisfies Reply);
  }
}

/** Calls of another process. */
export interface SocketCaller {
  /** @throws MillraceError of the call, or what `lost` made if the other process has gone. */
  call(name: string, ...args: readonly unknown[]): Promise<unknown>;
  close(): void;
}

/** Connects to a process that serves calls; `undefined` if none listens. `lost` makes the error of calls without an answer. */
export function connectSocketCalls(address: string, lost: () => MillraceError): Promise<SocketCaller | undefined> {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let lastId = 0;
  let isOpen = true;
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    const receive = framesOf((frame) => {
      const [id, answer] = frame as Reply;
      const asked = pending.get(id);
      pending.delete(id);
      if ('value' in answer) asked?.resolve(answer.value);
      else asked?.reject(new MillraceError(answer.error.code, answer.error.message, answer.error));
    });
    socket.on('data', receive);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (['ECONNREFUSED', 'ENOENT', 'ENOTDIR'].includes(error.code ?? '')) resolve(undefined);
      else reject(error);
    });
    socket.on('close', () => {
      isOpen = false;
      for (const { reject: fail } of pending.values()) fail(lost());
      pending.clear();
    });
    socket.once('connect', () =>
      resolve({
        call: async (name, ...args) => {
          if (!isOpen) throw lost();
          const id = lastId++;
          const request = framed([id, name, args] satisfies Request);
          return new Promise((resolveCall, rejectCall) => {
            pending.set(id, { resolve: resolveCall, reject: rejectCall });
            socket.write(request);
          });
        },
        close: () => socket.destroy(),
      }),
    );
  });
}

function framed(value: unknown): Buffer {
  const body = serialize(value);
  if (body.length > FRAME_BYTES_MAX)
    throw new MillraceError('internal', `${body.length} bytes are too many for one call between processes`, {
      hint: `at most ${FRAME_BYTES_MAX} bytes: stop the other process and run the command alone`,
    });
  const frame = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  frame.writeUInt32LE(body.length, 0);
  body.copy(frame, HEAD_BYTES);
  return frame;
}

/** Returns a function that takes pieces of a stream and calls `use` with each whole frame. */
function framesOf(use: (frame: unknown) => void): (piece: Buffer) => void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let wanted = HEAD_BYTES;
  let isHead = true;
  return (piece) => {
    pieces.push(piece);
    bytes += piece.length;
    while (bytes >= wanted) {
      const all = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, bytes);
      const frame = all.subarray(0, wanted);
      pieces = [all.subarray(wanted)];
      bytes -= wanted;
      if (isHead) {
        wanted = frame.readUInt32LE(0);
        if (wanted > FRAME_BYTES_MAX) throw new MillraceError('internal', `a frame of ${wanted} bytes`);
      } else {
        wanted = HEAD_BYTES;
        use(deserialize(frame));
      }
      isHead = !isHead;
    }
  };
}
