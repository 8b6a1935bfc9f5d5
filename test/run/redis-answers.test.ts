import { expect, it } from 'vitest';
import type { Redis } from '../../connectors/redis/open.js';
import { redisAnswers } from '../../src/run/redis-answers.js';

/** A profile whose Redis does with commands what is said. */
function withRedis(command: Redis['command']) {
  const warnings: string[] = [];
  const connect = async () => ({ command });
  const answers = redisAnswers({ connect, seconds: 60, onWarning: (message) => void warnings.push(message) });
  return { answers, warnings };
}

it('keeps answers for their time, and knows those that are there', async () => {
  const kept = new Map<unknown, unknown>();
  const { answers } = withRedis(async (commands) =>
    commands.map(({ command: [name, key, value, ...others] }) => {
      if (name === 'get') return kept.get(key) ?? null;
      expect(others).toEqual(['EX', 60]);
      kept.set(key, value);
      return 'OK';
    }),
  );
  await answers.set(new Map([['a', Buffer.from('1')]]));
  expect(await answers.get(['b', 'a'])).toEqual([undefined, Buffer.from('1')]);
  expect([...kept.keys()]).toEqual(['millrace:answer:a']);
});

it('knows nothing of a Redis that fails, says so once, and leaves it alone for a while', async () => {
  let asked = 0;
  const { answers, warnings } = withRedis(() => {
    asked++;
    return Promise.reject(new Error('gone'));
  });
  for (let i = 0; i < 10; i++) expect(await answers.get(['a'])).toEqual([]);
  await answers.set(new Map([['a', Buffer.of(1)]]));
  expect(asked).toBe(3);
  expect(warnings).toEqual(['answers of models are not shared in Redis now: gone']);
});

it('does not wait for a Redis that is slow, and has no more than some writes under way', async () => {
  let asked = 0;
  const { answers, warnings } = withRedis(() => {
    asked++;
    return new Promise(() => {});
  });
  const writes = Array.from({ length: 100 }, () => answers.set(new Map([['a', Buffer.of(1)]])));
  expect(await answers.get(['a'])).toEqual([]);
  await Promise.all(writes);
  expect(asked).toBe(65);
  expect(warnings[0]).toContain('no answer within 100 ms');
});
