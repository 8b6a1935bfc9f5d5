import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent, Fault } from './agent.js';
import { brokerHost, brokerHosts } from './cluster.js';
import type { Store } from './stores.js';

const BROKER_IDS = brokerHosts.map((_, index) => index + 1);
const signalOf = (agent: Agent) => (agent.maybe() ? 'SIGTERM' : 'SIGKILL');

const kill: Fault = async (agent) => {
  const victim = agent.victim();
  if (!victim) return;
  const told = agent.maybe();
  agent.count(told ? 'killed, group told' : 'killed');
  await agent.kill(victim, told);
};

const suspend: Fault = async (agent) => {
  const victim = agent.victim();
  if (!victim) return;
  agent.count('suspended beyond its session');
  victim.signal('SIGSTOP');
  await sleep(agent.world.sessionTimeoutMs + 1_000 + agent.upTo(6_000));
  victim.signal('SIGCONT');
};

const rescale: Fault = async (agent) => agent.rescale();

const restartBroker: Fault = async (agent) => {
  const id = agent.one(BROKER_IDS);
  const signal = signalOf(agent);
  agent.count(`broker restarted after ${signal}`);
  await agent.world.brokers.restart([id], signal, agent.upTo(4_000));
};

const slowBroker: Fault = async (agent) => {
  agent.count('a broker was slow');
  await agent.world.brokers.slow(agent.one(BROKER_IDS), 4_000 + agent.upTo(8_000));
};

const killController: Fault = async (agent) => {
  agent.count('controller killed');
  const { brokers } = agent.world;
  await brokers.restart([await brokers.controller()], 'SIGKILL', agent.upTo(4_000));
};

/** One broker is left: less than min.insync.replicas, and no controller. */
const killTwoBrokers: Fault = async (agent) => {
  const spared = agent.one(BROKER_IDS);
  agent.count('two of three brokers killed');
  const victims = BROKER_IDS.filter((id) => id !== spared);
  await agent.world.brokers.restart(victims, 'SIGKILL', agent.upTo(8_000));
};

/** A store is restarted or put to sleep, so that workers die and sleep with writes on their way. */
const disturb =
  (name: string, storeOf: (agent: Agent) => Store): Fault =>
  (agent) => {
    const store = storeOf(agent);
    const signal = signalOf(agent);
    const ms = agent.upTo(4_000);
    const asleep = agent.maybe();
    agent.count(asleep ? `${name} suspended` : `${name} restarted after ${signal}`);
    return agent.begin(store, () => (asleep ? store.suspend(2 * ms) : store.restart(signal, () => sleep(ms))));
  };

/** A worker dies with writes on their way to a store that sleeps: they arrive when others have the worker's tasks. */
const killMeanwhile =
  (name: string, storeOf: (agent: Agent) => Store): Fault =>
  async (agent) => {
    const store = storeOf(agent);
    await agent.begin(store, async () => {
      agent.count(`killed while ${name} slept`);
      await store.suspend(3_000 + agent.upTo(3_000));
    });
    await sleep(1_000); // by now every task that has something to write waits for its answer
    const victim = agent.victim();
    if (victim) await agent.kill(victim, true);
  };

const killPostgres: Fault = async (agent) => {
  const { postgres } = agent.world;
  if (!postgres) return;
  const ms = agent.upTo(6_000);
  agent.count('Postgres killed');
  await agent.begin(postgres, async () => {
    await postgres.kill();
    await sleep(ms);
    await postgres.run();
  });
};

/** Not a single packet reaches the broker or leaves it: its peers elect others, and it goes on answering nobody. */
const isolateBroker: Fault = async (agent) => {
  const { network, brokers } = agent.world;
  if (!network) return;
  const host = agent.one(brokerHosts);
  agent.count('a broker cut off');
  await network.isolate(host);
  await sleep(3_000 + agent.upTo(9_000));
  await network.rejoin(host);
  await brokers.healthy();
};

/** Two brokers do not reach each other, and both reach the third and all clients. */
const partBrokers: Fault = async (agent) => {
  const { network, brokers } = agent.world;
  if (!network) return;
  const spared = agent.one(BROKER_IDS);
  const [one, other] = BROKER_IDS.filter((id) => id !== spared).map(brokerHost) as [string, string];
  agent.count('two brokers cut off from each other');
  await network.part(one, other);
  await sleep(3_000 + agent.upTo(9_000));
  await network.unite(one, other);
  await brokers.healthy();
};

/** A worker reaches no broker, or only some, while its stores hear of it: others get its tasks, and it comes back. */
const cutWorker: Fault = async (agent) => {
  const { network, sessionTimeoutMs } = agent.world;
  const host = agent.victim()?.host;
  if (!network || host === undefined) return;
  const lost = agent.maybe() ? brokerHosts : [agent.one(brokerHosts)];
  agent.count(`a worker cut off from ${lost.length === 1 ? 'a broker' : 'all brokers'}`);
  for (const broker of lost) await network.part(host, broker);
  await sleep(sessionTimeoutMs + agent.upTo(6_000));
  for (const broker of lost) await network.unite(host, broker);
};

const jumpClock: Fault = async (agent) => {
  const victim = agent.victim();
  if (!victim) return;
  const seconds = Math.round(agent.one([-1, 1]) * 10 ** (1 + agent.upTo(4)));
  agent.count(`the clock of a worker jumped ${seconds < 0 ? 'back' : 'ahead'}`);
  victim.setClock(seconds);
};

const fillDisk: Fault = async (agent) => {
  agent.count('the disk of a broker filled');
  await agent.world.brokers.fillDisk(agent.one(BROKER_IDS), 2_000 + agent.upTo(6_000));
};

const redis = (agent: Agent) => agent.world.redis;
const clickhouse = (agent: Agent) => agent.world.clickhouse;

/** What can be done, by what it is done to. A fault that stands twice is done twice as often. */
export const faults = {
  workers: [kill, kill, suspend, rescale],
  brokers: [restartBroker, slowBroker],
  stores: [
    disturb('Redis', redis),
    disturb('ClickHouse', clickhouse),
    killMeanwhile('Redis', redis),
    killMeanwhile('ClickHouse', clickhouse),
  ],
  /** Adds a table of Postgres and files to what is written. */
  sinks: [killPostgres],
  /** The controllers, and fewer brokers than min.insync.replicas. */
  quorum: [killController, killTwoBrokers],
  /** Needs root, and a network namespace for each broker and worker. */
  network: [isolateBroker, partBrokers, cutWorker, cutWorker],
  /** Needs libfaketime. */
  clock: [jumpClock],
  /** Needs root: each broker's disk is a tmpfs of its own. */
  disk: [fillDisk],
} as const satisfies Readonly<Record<string, readonly Fault[]>>;

export type FaultGroup = keyof typeof faults;
export const usualFaults: readonly FaultGroup[] = ['workers', 'brokers', 'stores'];
export const allFaults = Object.keys(faults) as readonly FaultGroup[];
