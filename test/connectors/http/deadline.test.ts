import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { deadline } from '../../../connectors/http/deadline.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

it('comes though garbage is collected meanwhile', async () => {
  const { signal } = deadline(100, new AbortController().signal);
  for (let i = 0; i < 5; i++) {
    await sleep(5);
    collect();
  }
  await sleep(200);
  expect(signal.aborted).toBe(true);
  expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
});

it('comes with the other signal, at once where that has come', () => {
  const other = new AbortController();
  const { signal } = deadline(60_000, other.signal);
  expect(signal.aborted).toBe(false);
  other.abort();
  expect(signal.aborted).toBe(true);
  expect(deadline(60_000, other.signal).signal.aborted).toBe(true);
});

it('does not come once it has ended', async () => {
  const other = new AbortController();
  const { signal, end } = deadline(20, other.signal);
  end();
  other.abort();
  await sleep(50);
  expect(signal.aborted).toBe(false);
});
