import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MillraceError, messageOf } from '../../core/errors.js';

// LMDB lets several processes in, but offsets are handed out and tasks are fenced in memory: there must be one. The owner
// listens on a socket in the folder. The kernel ends it with the process, and it is the same in all namespaces, where process
// numbers are not. That nobody answers is no proof: the store's token decides (see `Store`).

const SOCKET = 'owner.sock';
/** What the address of a socket has room for on Linux and macOS, with the zero at its end. */
const ADDRESS_BYTES = 104;
/** How long an owner may take to say who it is. */
const ANSWER_MS = 1_000;
/** Owners that may come and go while this process takes the folder. */
const ATTEMPTS = 10;

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began: a number that was given out again is another process. */
  readonly began: number;
}
const self = (): Owner => ({ pid: process.pid, host: hostname(), began: performance.timeOrigin });

export interface Ownership {
  /** Gives the folder back, so that this process may open it again. */
  release(): Promise<void>;
}

/**
 * Takes the folder of a store for this process.
 *
 * @throws MillraceError `config` where a living process has it, in whichever PID namespace; `state` where no socket can be made.
 */
export async function takeOwnership(path: string): Promise<Ownership> {
  const address = await addressIn(path);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const server = await listen(address.of(SOCKET));
      if (server !== undefined) {
        return {
          async release() {
            await new Promise((resolve) => server.close(resolve)); // which removes the socket
            await address.close();
          },
        };
      }
      await removeDead(path, address.of);
    }
    throw inUse(path, 'another process');
  } catch (error) {
    await address.close();
    if (error instanceof MillraceError) throw error;
    throw new MillraceError('state', `cannot listen in the folder of the embedded store: ${messageOf(error)}`, {
      where: path,
      hint: 'the owner of a store is known by a socket in it: use a folder on a local disk that may have sockets',
      cause: error,
    });
  }
}

/** Addresses of sockets in a folder, however long its path is: on Linux by the number under which the folder is open. */
export async function addressIn(path: string): Promise<{ of(name: string): string; close(): Promise<void> }> {
  const longest = join(path, `${SOCKET}.${process.pid}`);
  if (Buffer.byteLength(longest) < ADDRESS_BYTES) {
    return { of: (name) => join(path, name), close: async () => undefined };
  }
  if (process.platform !== 'linux') {
    throw new MillraceError('config', `the path of the embedded store is too long for a socket: ${longest}`, {
      where: path,
      hint: `name a data folder whose path has at most ${ADDRESS_BYTES - (longest.length - path.length)} bytes`,
    });
  }
  const folder: FileHandle = await open(path, 'r');
  return { of: (name) => `/proc/self/fd/${folder.fd}/${name}`, close: () => folder.close() };
}

/** Listens, and answers requests for the owner with this process; `undefined` where the address is taken. */
function listen(address: string): Promise<Server | undefined> {
  const server = createServer((client) => {
    client.on('error', () => undefined);
    client.end(JSON.stringify(self()));
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (isCode(error, 'EADDRINUSE') ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server));
  });
}

/**
 * Removes the socket of an owner that is dead, or refuses one that lives. The socket is taken aside before it is removed and asked
 * again: it may be that of a new owner, which gets it back.
 */
async function removeDead(path: string, addressOf: (name: string) => string): Promise<void> {
  await refuseLiving(path, addressOf(SOCKET));
  const aside = `${SOCKET}.${process.pid}`;
  try {
    await rename(join(path, SOCKET), join(path, aside));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  try {
    await refuseLiving(path, addressOf(aside));
    await rm(join(path, aside), { force: true });
  } catch (error) {
    await rename(join(path, aside), join(path, SOCKET));
    throw error;
  }
}

async function refuseLiving(path: string, address: string): Promise<void> {
  const owner = await ask(address);
  if (owner === undefined) return;
  if (owner === 'silent') throw inUse(path, 'a process that does not answer');
  const { pid, host, began } = self();
  const isThis = owner.pid === pid && owner.host === host && owner.began === began;
  const where = owner.host === host ? '' : ` on ${owner.host}`;
  throw inUse(path, isThis ? 'this process' : `process ${owner.pid}${where}`);
}

/** Who listens; `undefined` where nobody does. */
function ask(address: string): Promise<Owner | 'silent' | undefined> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(address);
    const timer = setTimeout(() => settle(() => resolve('silent')), ANSWER_MS);
    const settle = (how: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      how();
    };
    socket.setEncoding('utf8');
    socket.on('data', (piece) => {
      text += piece;
    });
    // One that hangs up without a word has just died.
    socket.on('end', () => settle(() => resolve(text === '' ? undefined : (JSON.parse(text) as Owner))));
    socket.on('error', (error) => {
      if (isCode(error, 'ECONNREFUSED', 'ECONNRESET', 'ENOENT')) settle(() => resolve(undefined));
      else if (isCode(error, 'EAGAIN')) settle(() => resolve('silent'));
      else settle(() => reject(error));
    });
  });
}

const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  codes.includes(String((error as { code?: unknown }).code));

/** Another process has the store open. */
export const inUse = (path: string, who: string): MillraceError =>
  new MillraceError('config', `the embedded store is in use by ${who}`, {
    where: path,
    hint: 'stop that process, close the profile that opened the store, or use another data folder',
  });
