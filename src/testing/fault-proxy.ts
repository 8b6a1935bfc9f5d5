import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Bytes from clients are requests, bytes from the service answers. */
export type Way = 'request' | 'answer';

/** One fault. Bytes are counted over all connections, from the moment when the fault is the next one of the script. */
export type Fault =
  /** The connection that carries this byte ends there, by a close or a reset. */
  | { readonly does: 'cut' | 'reset'; readonly in: Way; readonly afterBytes: number }
  /** The connection stays open and passes nothing more; others work. */
  | { readonly does: 'hang'; readonly in: Way; readonly afterBytes: number }
  /** The next connections are reset when they are made. */
  | { readonly does: 'refuse'; readonly connections: number }
  /**
   * Everything passes, in pieces with pauses, until `heal` or until the pauses have taken `totalMs`: a busy machine makes each longer.
   * It must be the last fault of a script.
   */
  | { readonly does: 'slow'; readonly pieceBytes: number; readonly everyMs: number; readonly totalMs: number };

/** Passed bytes. */
export type Traffic = Readonly<Record<Way, number>>;

interface Tunnel {
  readonly near: Socket;
  readonly far: Socket;
  /** Nothing passes any more. */
  isOver: boolean;
}

/**
 * A TCP proxy on loopback that causes faults by a script: after a byte, not after a time, so that a trial can be repeated.
 *
 * Memory: what one side has sent and the other has not read, at most a system buffer for each connection.
 *
 * @example
 * const proxy = await FaultProxy.open(6379);
 * const client = new Redis(proxy.port);
 * proxy.play({ does: 'cut', in: 'answer', afterBytes: 0 }); // the next answer is lost, after its effect
 */
export class FaultProxy {
  private readonly tunnels = new Set<Tunnel>();
  private readonly bytes = { request: 0, answer: 0 };
  private script: readonly Fault[] = [];
  /** Bytes or connections until the next fault of the script. */
  private left = 0;
  private struckSoFar = 0;
  /** How long the pauses of the script have taken. */
  private pausedMs = 0;
  private readonly server = createServer({ allowHalfOpen: true }, (near) => this.accept(near));

  private constructor(
    private readonly to: number,
    private readonly host: string,
    private at: number,
  ) {}

  /** In front of a port; `at` is its own port, a free one by default. */
  static async open(to: number, { host = '127.0.0.1', at = 0 } = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(to, host, at);
    await proxy.listen();
    return proxy;
  }

  get port(): number {
    return this.at;
  }

  /** The traffic since it was opened. */
  get passed(): Traffic {
    return { ...this.bytes };
  }

  /** The number of faults that have occurred. */
  get struck(): number {
    return this.struckSoFar;
  }

  /** Sets the script: each fault starts after the one before it has occurred. Replaces an earlier script. */
  play(...script: readonly Fault[]): void {
    this.script = script;
    this.struckSoFar = 0;
    this.pausedMs = 0;
    this.begin();
  }

  /** Stops listening and resets every connection, until `heal`. */
  async shut(): Promise<void> {
    const closed = this.server.listening ? once(this.server, 'close') : undefined;
    this.server.close();
    for (const tunnel of this.tunnels) end(tunnel, 'reset');
    await closed;
  }

  /** Passes everything from now on; connections that hang still hang. */
  async heal(): Promise<void> {
    this.script = [];
    if (!this.server.listening) await this.listen();
  }

  async close(): Promise<void> {
    this.script = [];
    await this.shut();
    for (const { near, far } of this.tunnels) for (const socket of [near, far]) socket.destroy();
  }

  private async listen(): Promise<void> {
    this.server.listen(this.at, '127.0.0.1');
    await once(this.server, 'listening');
    this.at = (this.server.address() as AddressInfo).port;
  }

  private accept(near: Socket): void {
    near.on('error', () => undefined); // it ends, and the cause does not matter
    const [fault] = this.script;
    if (fault?.does === 'refuse') {
      near.resetAndDestroy();
      this.left -= 1;
      if (this.left === 0) this.strike();
      return;
    }
    const far = connect({ port: this.to, host: this.host, allowHalfOpen: true, noDelay: true });
    far.on('error', () => undefined);
    near.setNoDelay(true);
    const tunnel: Tunnel = { near, far, isOver: false };
    this.tunnels.add(tunnel);
    for (const socket of [near, far]) {
      socket.once('close', () => {
        if (near.destroyed && far.destroyed) this.tunnels.delete(tunnel);
      });
    }
    void this.carry('request', tunnel);
    void this.carry('answer', tunnel);
  }

  private async carry(way: Way, tunnel: Tunnel): Promise<void> {
    const [from, to] = way === 'request' ? [tunnel.near, tunnel.far] : [tunnel.far, tunnel.near];
    try {
      for await (const bytes of from) await this.pass(bytes as Buffer, way, tunnel, to);
      to.end();
    } catch {
      end(tunnel, 'reset'); // a fault on one side is passed on to the other
    }
  }

  private async pass(bytes: Buffer, way: Way, tunnel: Tunnel, to: Socket): Promise<void> {
    if (tunnel.isOver) return new Promise(() => undefined); // its end is the end of both sockets
    const [fault] = this.script;
    if (fault === undefined || fault.does === 'refuse') return this.send(bytes, way, to);
    if (fault.does === 'slow') return this.trickle(bytes, way, to, fault);
    if (fault.in !== way) return this.send(bytes, way, to);
    if (bytes.length <= this.left) {
      this.left -= bytes.length;
      return this.send(bytes, way, to);
    }
    const before = bytes.subarray(0, this.left);
    this.strike();
    tunnel.isOver = true;
    await this.send(before, way, to);
    if (fault.does !== 'hang') end(tunnel, fault.does);
    return new Promise(() => undefined);
  }

  private async trickle(
    bytes: Buffer,
    way: Way,
    to: Socket,
    { pieceBytes, everyMs, totalMs }: Extract<Fault, { does: 'slow' }>,
  ): Promise<void> {
    this.struckSoFar ||= 1;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      if (this.script[0]?.does === 'slow' && this.pausedMs < totalMs) await this.pause(everyMs);
      await this.send(bytes.subarray(at, at + pieceBytes), way, to);
    }
  }

  private async pause(ms: number): Promise<void> {
    const beganMs = performance.now();
    await sleep(ms);
    this.pausedMs += performance.now() - beganMs;
  }

  private async send(bytes: Uint8Array, way: Way, to: Socket): Promise<void> {
    this.bytes[way] += bytes.length;
    if (bytes.length > 0 && !to.write(bytes)) await once(to, 'drain');
  }

  private strike(): void {
    this.struckSoFar += 1;
    this.script = this.script.slice(1);
    this.begin();
  }

  private begin(): void {
    const [fault] = this.script;
    this.left = fault?.does === 'refuse' ? fault.connections : fault && 'in' in fault ? fault.afterBytes : 0;
  }
}

/** A close sends earlier writes first; a reset does not. */
function end({ near, far }: Tunnel, how: 'cut' | 'reset'): void {
  far.destroySoon();
  if (how === 'cut') near.destroySoon();
  else near.resetAndDestroy();
}
