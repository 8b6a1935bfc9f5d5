import { createInterface } from 'node:readline';
import { openKafka } from '../../connectors/kafka/open.js';
import type { Profile } from '../../src/core/index.js';
import { millis, minutes } from '../../src/core/index.js';
import { INTERNAL } from '../../src/core/internal.js';
import { createInference } from '../../src/inference/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { localRegistry } from '../../src/schema/index.js';
import { type Order, recordsOf } from './order.js';
import { topologyOf } from './topologies.js';

// One process of Millrace, as a peer: reads orders from the standard input, one a line, and runs each until the line `stop`.

const inference = createInference();
const say = (line: string) => process.stdout.write(`${line}\n`);

async function run(order: Order, stopped: Promise<unknown>): Promise<void> {
  const schemas = localRegistry();
  const kafka = await openKafka({
    brokers: [order.broker],
    registry: schemas,
    // A run may be one epoch, to show what epochs cost.
    transactionTimeout: minutes(10),
  });
  const profile: Profile = {
    name: 'bench',
    sources: { kafka: kafka.source, [INTERNAL]: kafka.internal.source },
    sinks: { kafka: kafka.topicSink, [INTERNAL]: kafka.internal.sink },
    openLedger: (task) => kafka.openLedger(task),
    join: (member) => kafka.join(member),
    schemas,
    close: () => kafka.close(),
  };
  let started = false;
  try {
    const running = await runTopology(topologyOf(order), {
      profile,
      inference,
      bounded: recordsOf(order.inputs) > 0,
      epochInterval: millis(order.commitMs),
      onPoint: () => {
        if (!started) say('started');
        started = true;
      },
      onWarning: (message) => process.stderr.write(`${message}\n`),
    });
    await Promise.race([running.finished, stopped]);
    await stopped;
    await running.stop();
  } finally {
    await profile.close();
  }
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (let line = await lines.next(); !line.done; line = await lines.next()) {
  await run(JSON.parse(line.value) as Order, lines.next());
  say('closed');
}
process.exit();
