import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** moto's server: S3's protocol by the people who test boto3 with it, listings, ranges and multipart uploads included. */
export class ObjectStore {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(bucket: string): Promise<ObjectStore> {
    const port = await freePort();
    const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    const store = new ObjectStore(child, port);
    for (let tries = 0; ; tries++) {
      try {
        await fetch(`http://127.0.0.1:${port}/${bucket}`, { method: 'PUT' });
        return store;
      } catch (error) {
        if (tries > 300) throw error;
        await sleep(100);
      }
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

/** Something in between that loses answers, refuses, or breaks connections, as often as it is told. */
export async function between(
  to: number,
  fault: (path: string, method: string) => 'lose' | 'busy' | 'cut' | undefined,
) {
  const server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    const what = fault(path, method);
    if (what === 'cut') return request.socket.destroy();
    if (what === 'busy') {
      request.resume().once('end', () => response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>'));
      return;
    }
    const onwards = ask({ host: '127.0.0.1', port: to, path, method, headers }, (answer) => {
      if (what === 'lose') {
        answer.resume().once('end', () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onwards.on('error', () => request.socket.destroy());
    request.pipe(onwards);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
