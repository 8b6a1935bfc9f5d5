import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { runTopology } from '../../../src/runtime/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';
import { foreignProducer, foreignSend, fresh, json, open } from './world.js';

const name = fresh('paused');
const [input, output, dead] = [`${name}.in`, `${name}.out`, `${name}.dead`];
const copied = topology(name, { deadLetters: specs.deadLetterSink({ topic: dead }) }, (t) => {
  t.source('in', specs.source({ topic: input, schema: json })).to('out', specs.sink({ topic: output, schema: json }));
});

let kafka: Kafka;
beforeAll(async () => {
  kafka = await open({ prefix: name });
  await kafka.createTopic(input, 1);
});
afterAll(async () => {
  for (const topic of [input, output, dead]) await kafka.deleteTopic(topic);
  await kafka.forget(name);
  await kafka.close();
});

it('says how far a run that is paused falls behind', async () => {
  const running = await runTopology(copied, {
    profile: {
      name: 'test',
      sources: { kafka: kafka.source },
      sinks: { kafka: kafka.topicSink },
      openLedger: kafka.openLedger,
      schemas: localRegistry(),
      close: async () => undefined,
    },
    inference: noInference,
  });
  const producer = await foreignProducer();
  const write = (records: number) => {
    const value = Buffer.from('{"n":1}');
    return foreignSend(
      producer,
      input,
      0,
      Array.from({ length: records }, () => ({ key: null, value, timestampMs: 1_700_000_000_000 })),
    );
  };
  const figures = () => {
    const [task] = running.snapshot().tasks;
    return { atRest: task?.isAtRest, position: task?.positions.in?.offset, lag: task?.lag.in };
  };
  const until = (expected: ReturnType<typeof figures>) => expect.poll(figures, { timeout: 20_000 }).toEqual(expected);
  try {
    await write(3);
    await until({ atRest: false, position: 3, lag: 0 });
    running.pause();
    await until({ atRest: true, position: 3, lag: 0 });
    await write(40);
    await until({ atRest: true, position: 3, lag: 40 });
    await write(7);
    await until({ atRest: true, position: 3, lag: 47 });
    running.resume();
    await until({ atRest: false, position: 50, lag: 0 });
  } finally {
    await producer.disconnect();
    await running.stop();
  }
});
