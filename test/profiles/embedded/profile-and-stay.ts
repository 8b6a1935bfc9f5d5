// A process that has the embedded profile open until it is killed.
import { resolveConfig } from '../../../src/profiles/config.js';
import { openProfile } from '../../../src/profiles/profiles.js';

await openProfile(resolveConfig({ flags: { data: process.argv[2] as string } }));
process.stdout.write('open\n');
setInterval(() => undefined, 1_000);
