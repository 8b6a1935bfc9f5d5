// A run that takes records in over HTTP and copies one of each id. It kills itself at the n-th point of an epoch of that name.

import { http } from '../../../connectors/http/index.js';
import { httpSource } from '../../../connectors/http/source.js';
import { kafka } from '../../../connectors/kafka/index.js';
import { hours, millis } from '../../../src/core/index.js';
import { dedupe } from '../../../src/operators/index.js';
import { openEmbedded } from '../../../src/profiles/embedded/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { json, localRegistry } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';

const [path, port, point, count] = process.argv.slice(2) as [string, string, string, string];
let left = Number(count);
const embedded = await openEmbedded({ path, registry: localRegistry() });
const requests = httpSource({
  schemas: embedded.schemas,
  topics: embedded.source,
  producer: () => embedded.producer(),
});
const schema = json<{ readonly id: string }>();
const copied = topology('ingest-kill', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('in', http.ingestSource({ topic: 'in', schema, port: Number(port), key: ({ id }) => id }))
    .via('once', dedupe({ key: ({ id }) => id, retention: hours(1), keysMax: 100_000 }))
    .to('out', kafka.sink({ topic: 'out', schema, key: ({ id }) => id }));
});
const running = await runTopology(copied, {
  profile: {
    name: 'embedded',
    sources: { http: requests, kafka: embedded.source },
    sinks: { kafka: embedded.topicSink },
    openLedger: embedded.openLedger,
    schemas: embedded.schemas,
    close: () => embedded.close(),
  },
  inference: noInference, // nothing asks for it
  epochInterval: millis(60),
  onPoint(at) {
    if (at === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
process.once('SIGTERM', async () => {
  await running.stop();
  await requests.close();
  await embedded.close();
  process.exit(0);
});
