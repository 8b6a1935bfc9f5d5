// A process that opens the store and holds it until it is killed.
import { openEmbedded } from '../../../src/profiles/embedded/index.js';
import { localRegistry } from '../../../src/schema/index.js';

const path = process.argv[2] as string;
try {
  await openEmbedded({ path, registry: localRegistry() });
  process.stdout.write('open\n');
  setInterval(() => undefined, 1_000);
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`);
}
