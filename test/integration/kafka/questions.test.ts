import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import { stateful } from '../../../src/core/index.js';
import { millis } from '../../../src/index.js';
import { type Running, runTopology } from '../../../src/runtime/index.js';
import { json as anyJson, localRegistry } from '../../../src/schema/index.js';
import { serveMonitoring } from '../../../src/server/http.js';
import { valueCell } from '../../../src/state/index.js';
import { topology } from '../../../src/topology/index.js';
import { lastingPorts } from '../../ports.js';
import { fresh, open } from './world.js';

const PARTITIONS = 4;
const REQUESTS = 10_000;
const AT_ONCE = 400;
const name = fresh('questions');
const input = `${name}.in`;

interface Numbered {
  readonly n: number;
}

/** Tells how many records its task has read: the offset of the next one, since nothing but records is in the topic. */
const cells = { count: valueCell({ initial: 0 }) };
const seen = stateful<Numbered, Numbered, typeof cells>({
  kind: 'seen',
  cells,
  open: ({ count }) => ({
    onRecord(_, value, emit) {
      count.set(count.get() + 1);
      emit(value);
    },
    query: () => count.get(),
  }),
});
const counting = topology(name, { deadLetters: specs.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
  t.source('in', specs.source({ topic: input, schema: anyJson<Numbered>() }))
    .via('seen', seen)
    .to('out', specs.sink({ topic: `${name}.out`, schema: anyJson<Numbered>() }));
});

/** What every epoch of every task has committed, and the newest one: what any answer is held against. */
const committed = new Map<string, number>();
const newest = new Array<number>(PARTITIONS).fill(0);

interface Member {
  readonly url: string;
  stop(): Promise<void>;
}

async function start(): Promise<Member> {
  const [port = 0] = await lastingPorts(1);
  const world = await open();
  const profile = {
    name: 'cluster',
    sources: { kafka: world.source },
    sinks: { kafka: world.topicSink },
    openLedger: world.openLedger,
    join: world.join,
    schemas: localRegistry(),
    close: async () => undefined,
  };
  const url = `http://127.0.0.1:${port}`;
  const note = (at: Running) => {
    for (const { partition, epoch, positions } of at.snapshot().tasks) {
      committed.set(`${partition}/${epoch}`, Math.max(0, positions.in?.offset ?? 0));
      newest[partition] = Math.max(newest[partition] ?? 0, epoch);
    }
  };
  let running: Running | undefined;
  running = await runTopology(counting, {
    profile,
    inference: { open: () => Promise.reject(new Error('no models here')), close: async () => undefined },
    epochInterval: millis(100),
    address: url,
    onPoint: (point) => {
      if (point === 'stored' && running) note(running);
    },
  });
  const served = await serveMonitoring({
    host: '127.0.0.1',
    port,
    token: undefined,
    topology: counting,
    profile: 'cluster',
    running,
    isReady: () => true,
  });
  return {
    url,
    async stop() {
      await running?.stop();
      await served.close();
      await world.close();
    },
  };
}

it('ten thousand questions, asked of any process while tasks move, get a committed answer of late, or none', async () => {
  const world = await open();
  const producer = world.producer();
  await producer.createTopic(input, PARTITIONS);
  let producing = true;
  const feeding = (async () => {
    for (let n = 0; producing; n++) {
      const value = Buffer.from(JSON.stringify({ n }));
      for (let partition = 0; partition < PARTITIONS; partition++)
        await producer.append(input, partition, [{ key: null, value, timestampMs: Date.now() }]);
      await sleep(20);
    }
  })();

  const members: Member[] = [await start(), await start()];
  let asking = true;
  const moving = (async () => {
    while (asking) {
      members.push(await start());
      await sleep(1_000);
      await members.shift()?.stop();
      await sleep(1_000);
    }
  })();

  const said = { answered: 0, retried: 0 };
  const wrong: string[] = [];
  const ask = async (n: number) => {
    const partition = n % PARTITIONS;
    const member = members[n % members.length] as Member;
    const before = newest[partition] as number;
    let response: Response;
    try {
      response = await fetch(`${member.url}/state/seen/any?partition=${partition}`);
    } catch {
      return; // the process that was asked has ended
    }
    const body = (await response.json()) as { value: number; epoch: number; retry?: string };
    if (response.status === 503) said.retried++;
    else if (response.status !== 200) wrong.push(JSON.stringify(body));
    else {
      said.answered++;
      const truth = committed.get(`${partition}/${body.epoch}`);
      if (truth !== undefined && truth !== body.value) wrong.push(`${JSON.stringify(body)}, committed ${truth}`);
      if (body.epoch < before - 2) wrong.push(`${JSON.stringify(body)}, asked at epoch ${before}`);
    }
  };
  for (let n = 0; n < REQUESTS; n += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => ask(n + i)));
  }
  asking = false;
  producing = false;
  await Promise.all([moving, feeding]);
  await Promise.all(members.map((member) => member.stop()));
  await producer.close();
  await world.close();
  expect(wrong).toEqual([]);
  expect(said.answered).toBeGreaterThan(REQUESTS / 4);
});
