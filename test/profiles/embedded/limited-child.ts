// A store whose files may not grow: what its writers and its closing are told, as JSON.
import { openEmbedded } from '../../../src/profiles/embedded/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { limitFiles } from '../../integration/faults/limit-files.js';

const [path] = process.argv.slice(2) as [string];
const embedded = await openEmbedded({ path, registry: localRegistry() });
const producer = embedded.producer();
await producer.createTopic('a', 1);
limitFiles(100);
const told: unknown[] = [];
for (const n of [1, 2]) {
  const record = { key: null, value: Buffer.from(String(n)), timestampMs: n };
  await producer.send('a', [record]).catch(({ code, permanent, message }) => told.push([code, permanent, message]));
}
limitFiles('unlimited');
await producer.send('a', []).catch(({ permanent }) => told.push(permanent));
await embedded.close();
process.stdout.write(JSON.stringify(told));
