// A task that commits epoch after epoch and ends itself with SIGKILL at one named step of one commit, or is killed from
// outside. Everything that it writes follows from the number of the epoch, so that the parent can check it.
import { type CommitStep, openEmbedded } from '../../../src/profiles/embedded/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { perEpoch } from './kill-shape.js';
import { hashSinkOf, topicSinkOf } from './world.js';

const [path, step, count] = process.argv.slice(2) as [string, CommitStep | 'never', string];
let left = Number(count);
const embedded = await openEmbedded({
  path,
  registry: localRegistry(),
  hooks: {
    onStep(at) {
      if (at === step && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  },
});
const task = { topology: 'kill', partition: 0 };
const topic = topicSinkOf('out', { key: (value) => String((value as { n: number }).n % 5) });
await embedded.topicSink.setUp?.(topic, { topology: 'kill', step: 'out', partitions: 3 });
const ledger = await embedded.openLedger(task);
const { checkpoint: restored } = await ledger.restore();
const context = { step: 'out', task, incarnation: 0 };
const values = await embedded.topicSink.open(topic, context);
const hashes = await embedded.hashSink.open(
  hashSinkOf((value) => `h${(value as { n: number }).n % 50}`),
  context,
);
process.stdout.write('begun\n');

for (let epoch = (restored?.epoch ?? 0) + 1; ; epoch++) {
  const rows = Array.from({ length: perEpoch }, (_, i) => ({ n: (epoch - 1) * perEpoch + i }));
  const origins = rows.map(({ n }) => originAt(n));
  await values.write(rows, origins);
  await hashes.write(rows, origins);
  const bytes = Buffer.alloc(20_000, epoch % 256);
  bytes.writeUInt32LE(epoch, 0);
  const position = { offset: epoch * perEpoch, mergeTimeMs: 0 };
  await ledger.commit({ epoch, incarnation: 0, topologyHash: 'h', positions: { in: position }, settledDecisions: {} }, [
    { step: 'learn', cell: 'weights', bucket: epoch % 7, version: 1, bytes },
  ]);
}
