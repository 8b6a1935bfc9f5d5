import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { millrace, startMillrace, userFolder } from './millrace.js';

// Two terminals on the embedded profile: a topology runs in one, and the commands of the other work through it.

const { folder, remove } = userFolder();
const payments = ['produce', 'payments.v1', '--schema', 'schemas/payment.v1.avsc', '--time', 'paidAt'];
const reviews = ['produce', 'reviews.v1', '--schema', 'schemas/review.v1.avsc', '--time', 'reviewedAt'];
const sample = (name: string) => readFileSync(join(folder, `data/${name}.ndjson`), 'utf8');
let running: ReturnType<typeof startMillrace>;

async function ok(args: readonly string[], input = ''): Promise<string> {
  const { code, out, err } = await millrace(args, { folder, input });
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
  return out;
}

const scored = async (): Promise<number> => {
  const out = await ok(['query', '--json', 'SELECT count() AS n FROM scored']);
  return (JSON.parse(out) as { rows: [{ n: number }] }).rows[0].n;
};

beforeAll(async () => {
  await ok(['init', '--json']);
  await ok(payments, sample('payments'));
  await ok(reviews, sample('reviews'));
  running = startMillrace(['run', 'payments.ts'], { folder });
}, 120_000);
afterAll(async () => {
  running.process.kill('SIGKILL');
  await running.ended;
  remove();
});

describe('while a topology runs on the embedded profile', () => {
  it('its tables are queried, and what is produced beside it is scored', async () => {
    await expect.poll(() => running.output(), { timeout: 60_000, interval: 200 }).toMatch(/read \(/);
    await expect.poll(scored, { timeout: 30_000, interval: 500 }).toBeGreaterThan(2_900);
    const before = await scored();
    const fresh = sample('payments').split('\n').slice(-20).join('\n').replaceAll('"paymentId":"p', '"paymentId":"new');
    await ok(payments, fresh);
    // An input that ends is waited for: the reviews go on, too.
    await ok(
      reviews,
      sample('reviews').split('\n').slice(-20).join('\n').replaceAll('"paymentId":"p', '"paymentId":"new'),
    );
    await expect.poll(scored, { timeout: 30_000, interval: 500 }).toBeGreaterThan(before);
  }, 120_000);

  it('its topics, offsets and dead letters are read', async () => {
    const tail = await ok(['tail', 'payments.dead', '--schema', 'schemas/payment.v1.avsc', '--limit', '1']);
    expect(JSON.parse(tail)).toMatchObject({ offset: 0, headers: { 'millrace.reason': 'range:amount' } });
    expect(JSON.parse(await ok(['offsets', 'payments.ts', '--json']))).toMatchObject({ topology: 'payments' });
    expect(await ok(['dlq', 'list', 'payments.ts'])).toContain('range:amount');
  }, 120_000);

  it('nothing changes its checkpoints, and it stops in order', async () => {
    const reset = await millrace(['offsets', 'reset', 'payments.ts', '--to', 'earliest'], { folder });
    expect([reset.code, reset.err]).toEqual([1, expect.stringContaining('in use by process')]);
    running.process.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
    expect(await scored()).toBeGreaterThan(2_900); // now by itself
  }, 120_000);
});
