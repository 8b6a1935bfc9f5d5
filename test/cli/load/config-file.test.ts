import { afterEach, describe, expect, it } from 'vitest';
import { millrace, userFolder } from '../millrace.js';

const topologyFile = `
import { json, topology } from 'millrace';
import { redis } from 'millrace/connectors/redis';
import { kafka } from 'millrace/connectors/kafka';
import { hours } from 'millrace';
export const orders = topology('orders', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('in', kafka.source({ topic: 'in', schema: json<{ id: string }>() }))
    .to('out', redis.hashSink({ key: (order) => order.id, ttl: hours(1) }));
});
`;

describe('millrace.config.ts', () => {
  let remove = () => {};
  afterEach(() => remove());

  const describeWith = async (config: string, env: Record<string, string> = {}) => {
    const user = userFolder({ 'orders.ts': topologyFile, 'millrace.config.ts': config });
    remove = user.remove;
    return millrace(['describe', 'orders.ts', '--json'], { folder: user.folder, env });
  };
  const profileOf = ({ out }: { readonly out: string }) => JSON.parse(out).profile;

  it('is read from the folder, and gives way to the environment', async () => {
    const config = "import { defineConfig } from 'millrace';\nexport default defineConfig({ profile: 'cluster' });";
    const outcome = await describeWith(config);
    expect(profileOf(outcome)).toBe('cluster');
    expect(JSON.parse(outcome.out).sinks[0].delivery).toBe('effectively-once');
    expect(profileOf(await describeWith(config, { MILLRACE_PROFILE: 'embedded' }))).toBe('embedded');
  });

  it('is read from a promise too, which has no settings of its own', async () => {
    expect(profileOf(await describeWith("export default Promise.resolve({ profile: 'cluster' });"))).toBe('cluster');
  });

  it.each([
    ["export default { profile: 'moon' };", /^profile in .*millrace\.config\.ts must be one of embedded, cluster/],
    ['export const config = {};', /^has no default export with settings$/],
    ['export default { kafkas: 1 };', /sets "kafkas", which is not a setting$/],
  ])('says what is wrong with %s', async (config, message) => {
    const { code, out } = await describeWith(config);
    expect(code).toBe(1);
    expect(JSON.parse(out).error).toMatchObject({ code: 'config', message: expect.stringMatching(message) });
  });
});
