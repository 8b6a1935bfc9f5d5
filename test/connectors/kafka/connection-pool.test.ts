import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  BrokerConnection,
  type BrokerConnectionOptions,
} from '../../../connectors/kafka/connection/broker-connection.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';

const A = { host: 'a', port: 1 };
const B = { host: 'b', port: 1 };

/** A connection that is as the test says. */
class Fake {
  isConnected = true;
  isDue = false;
  heldForMs = 0;
  closed = false;
  becomeIdle: () => void = () => undefined;
  private waits = Promise.resolve();
  constructor(readonly host: string) {}
  /** A request is under way until `becomeIdle`. */
  busy(): void {
    this.waits = new Promise((resolve) => {
      this.becomeIdle = resolve;
    });
  }
  idle = () => this.waits;
  send = async () => `answer of ${this.host}`;
  close = async () => {
    this.closed = true;
  };
}

/** Waits that are under way: they end where the test says, or where they are given up. */
const waits: { readonly ms: number; readonly end: () => void }[] = [];
vi.mock('../../../src/util/pause.js', () => ({
  pause: (ms: number, signal: AbortSignal) =>
    new Promise<void>((end) => {
      waits.push({ ms, end });
      signal.addEventListener('abort', () => end());
    }),
}));

let made: Fake[] = [];
let failures: Error[] = [];
let pool: ConnectionPool;
beforeEach(() => {
  made = [];
  failures = [];
  waits.length = 0;
  pool = new ConnectionPool({} as BrokerConnectionOptions);
  vi.spyOn(BrokerConnection, 'open').mockImplementation((async ({ host }: typeof A) => {
    const failure = failures.shift();
    if (failure) throw failure;
    made.push(new Fake(host));
    return made.at(-1);
  }) as never);
});
afterEach(async () => {
  await pool.close();
  vi.restoreAllMocks();
});
const open = async (address = A) => (await pool.to(address)) as unknown as Fake;

it('has one connection to each broker, opened by the first who needs it', async () => {
  const [first, second, other] = await Promise.all([open(), open(), open(B)]);
  expect([first === second, made.length]).toEqual([true, 2]);
  expect([first.host, other.host]).toEqual(['a', 'b']);
  expect(await pool.request(A, {} as never)).toBe('answer of a');
  expect(made).toHaveLength(2);
});

it('opens another one after a loss, and after a failure', async () => {
  const lost = await open();
  lost.isConnected = false;
  expect(await Promise.all([open(), open()])).toEqual([made[1], made[1]]);
  expect([made.length, lost.closed]).toEqual([2, false]); // who lost it has closed it
  (made[1] as Fake).isConnected = false;
  failures = [new Error('refused')];
  await expect(open()).rejects.toThrow('refused');
  expect(await open()).toBe(made[2]);
});

it('replaces a connection whose login expires when it is idle, and closes it then', async () => {
  const old = await open();
  old.busy();
  old.isDue = true;
  const next = open();
  await new Promise(setImmediate);
  expect(made).toHaveLength(1);
  old.becomeIdle();
  expect(await next).toBe(made[1]);
  await vi.waitFor(() => expect(old.closed).toBe(true));
  expect((made[1] as Fake).closed).toBe(false);
});

it('waits two seconds for answers on a connection whose login expires', async () => {
  const old = await open();
  old.busy();
  old.isDue = true;
  const next = open();
  await vi.waitFor(() => expect(waits).toHaveLength(1));
  expect([waits[0]?.ms, made.length]).toEqual([2_000, 1]);
  waits[0]?.end();
  expect(await next).toBe(made[1]);
  expect(old.closed).toBe(false);
  await pool.close();
  expect(made.map(({ closed }) => closed)).toEqual([true, true]);
});

it('gives a throttled connection when its broker takes requests again', async () => {
  const held = await open();
  held.heldForMs = 20;
  const next = open();
  await vi.waitFor(() => expect(waits).toHaveLength(1));
  expect(waits[0]?.ms).toBe(20);
  held.heldForMs = 0;
  waits[0]?.end();
  expect(await next).toBe(held);
  // A pool that is closed waits for no broker.
  held.heldForMs = 20;
  const waiting = open().catch((error: unknown) => error);
  await vi.waitFor(() => expect(waits).toHaveLength(2));
  held.isConnected = false;
  await pool.close();
  expect(await waiting).toMatchObject({ message: 'the connections are closed' });
});

it('opens nothing once it is closed, and closes what opens meanwhile', async () => {
  const opening = open();
  await Promise.resolve(); // it has begun
  await Promise.resolve();
  await pool.close();
  expect((await opening).closed).toBe(true);
  await expect(open(B)).rejects.toThrow('the connections are closed');
  failures = [new Error('refused')];
  const other = new ConnectionPool({} as BrokerConnectionOptions);
  const failing = other.to(A).catch((error: unknown) => error);
  await Promise.resolve();
  await Promise.resolve();
  await other.close();
  expect(await failing).toMatchObject({ message: 'refused' });
});
