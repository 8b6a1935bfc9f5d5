import { pathToFileURL } from 'node:url';
import type { Duration, Topology } from 'millrace';
import { type FakeStore, TopologyTest } from 'millrace/testing';

/** What each file here exports. */
export interface Example {
  readonly example: Topology;
  /** What comes, by source. */
  readonly records: Readonly<Record<string, readonly unknown[]>>;
  /** Processing time that passes then. */
  readonly silence?: Duration;
  /** Stand in for stores outside, by step. */
  readonly lookups?: Readonly<Record<string, FakeStore>>;
}

/** What comes out of an example when nothing follows its records: a line a value, by sink; then the dead letters. */
export async function linesOf({ example, records, silence, lookups }: Example): Promise<string[]> {
  const test = new TopologyTest(example, lookups ? { lookups } : {});
  try {
    for (const [source, values] of Object.entries(records)) await test.pipe(source, values);
    if (silence !== undefined) {
      await test.run();
      test.clock.advance(silence);
    }
    await test.finish();
    const values = example.sinks.flatMap(({ id }) => test.output(id).map((value) => `${id}  ${spaced(value)}`));
    return [...values, ...test.deadLetters().map(({ reason, detail }) => `dead letter  ${reason}: ${detail}`)];
  } finally {
    await test.close();
  }
}

/** JSON with a space behind colons and commas, those in texts left alone. */
const spaced = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/"(?:[^"\\]|\\.)*"|[:,]/g, (token) => (token.length === 1 ? `${token} ` : token));

// npx tsx -C millrace-source docs/examples/run.ts window
const [, script = '', name = ''] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  const lines = await linesOf((await import(new URL(`./${name}.ts`, import.meta.url).href)) as Example);
  process.stdout.write(`${lines.join('\n')}\n`);
}
