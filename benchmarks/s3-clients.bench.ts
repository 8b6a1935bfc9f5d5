/**
 * What do requests to a store of objects cost by `@aws-sdk/client-s3`, and what by `aws4fetch` and regular expressions?
 *
 * Requests one after another, against the store of the stack: objects of 10 KiB, parts and objects of 8 MiB, lists of 1,000 keys.
 * The SDK as it comes, and as the connector asks it: no checksum of its own, no digest of bodies, no question before a long one. And the time until each is loaded.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Benchmark } from './benchmark.js';
import { cpuOf, measureInTurn, rateOf, ratioOf, type Spread, spreadOf } from './pairs.js';
import { byAws4fetch, byConnector, bySdk, type S3Client } from './s3-clients/clients.js';
import { withServices } from './sinks/services.js';

export const options = { rounds: 5 };

const MIB = 2 ** 20;
const KEYS = 1_000;

interface Work {
  readonly name: string;
  readonly times: number;
  readonly once: (client: S3Client, n: number) => Promise<unknown>;
}

/** Milliseconds until a package is loaded, by a process of its own. */
function importMs(name: string): number {
  const address = pathToFileURL(createRequire(import.meta.url).resolve(name)).href;
  const script = `const t = performance.now(); await import(${JSON.stringify(address)}); console.log(performance.now() - t);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return Number(stdout);
}

export const benchmark: Benchmark<typeof options> = (progress, { rounds }) =>
  withServices(new Set(['s3'] as const), progress, async ({ s3, bucket }) => {
    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    const clients = [byAws4fetch(s3, bucket), byConnector(s3, bucket), bySdk(s3, bucket)];
    const [hand, ...others] = clients as [S3Client, ...S3Client[]];
    const [small, large] = [Buffer.alloc(10 * 1024, 'a'), Buffer.alloc(8 * MIB, 'b')];
    await hand.put('large', large);
    for (let n = 0; n < KEYS; n++) await hand.put(`many/${n}`, Buffer.from('x'));
    const id = await hand.begin('parts');
    const works: readonly Work[] = [
      { name: 'put 10 KiB', times: 100, once: (client, n) => client.put(`small/${n % 10}`, small) },
      { name: 'put a part of 8 MiB', times: 8, once: (client, n) => client.putPart('parts', id, 1 + (n % 10), large) },
      { name: 'get 8 MiB', times: 8, once: (client) => client.get('large') },
      { name: `list ${KEYS} keys`, times: 8, once: (client) => client.list('many/') },
    ];
    for (const { name, times, once } of works) {
      const contestants = clients.map((client) => ({
        name: client.name,
        async work() {
          for (let n = 0; n < times; n++) await once(client, n);
          return times;
        },
      }));
      const { runs } = await measureInTurn(contestants, { rounds, warmUps: 1 }, progress);
      for (const { name: by } of clients) {
        const each = runs[by] ?? [];
        figures[`${name}, ${by}: ms`] = spreadOf(each.map((run) => 1e3 / rateOf(run)));
        figures[`${name}, ${by}: ms of CPU`] = spreadOf(each.map((run) => 1e3 * cpuOf(run)));
      }
      for (const { name: by } of others) {
        ratios[`${name}: ms, ${by} through ${hand.name}`] = ratioOf(runs, by, hand.name, (run) => 1 / rateOf(run));
        ratios[`${name}: CPU, ${by} through ${hand.name}`] = ratioOf(runs, by, hand.name, cpuOf);
      }
    }
    for (const name of ['aws4fetch', '@aws-sdk/client-s3']) {
      figures[`load ${name}: ms`] = spreadOf(Array.from({ length: rounds }, () => importMs(name)));
    }
    return { unit: 'as named', figures, ratios };
  });
