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

let made: Fake[] = [];
let failures: Error[] = [];
let pool: ConnectionPool;
beforeEach(() => {
  made = [];
  failures = [];
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
  vi.useRealTimers();
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
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const old = await open();
  old.busy();
  old.isDue = true;
  let next: Fake | undefined;
  void open().then((opened) => {
    next = opened;
  });
  await vi.advanceTimersByTimeAsync(1_999);
  expect(next).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect([next === made[1], old.closed]).toEqual([true, false]);
  await pool.close();
  expect([old.closed, next?.closed]).toEqual([true, true]);
});

it('gives a throttled connection when its broker takes requests again', async () => {
  const held = await open();
  held.heldForMs = 20;
  setTimeout(() => {
    held.heldForMs = 0;
  }, 5);
  const beganMs = performance.now();
  expect(await open()).toBe(held);
  expect(performance.now() - beganMs).toBeGreaterThan(10);
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
