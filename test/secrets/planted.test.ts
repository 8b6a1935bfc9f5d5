import { describe, expect, it } from 'vitest';
import { everythingOf, leaksIn, type Planted, planted } from './planted.js';

// The search itself: what is leaked on purpose must be found, or nothing that it does not find means anything.

const ways: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (secret) => `cannot log in with ${secret}`,
  'in a URL': (secret) => new URL(`http://user:${encodeURIComponent(secret)}@host/`).href,
  'in a query': (secret) => `${new URLSearchParams({ secret })}`,
  'in JSON': (secret) => JSON.stringify({ a: { secret } }),
  'in basic authentication': (secret) => Buffer.from(`user:${secret}`).toString('base64'),
  'in base64 behind anything': (secret) => Buffer.from(`${'x'.repeat(secret.length % 7)}${secret}`).toString('base64'),
  'in base64 for URLs': (secret) => Buffer.from(`ab${secret}`).toString('base64url'),
  'in hexadecimal': (secret) => Buffer.from(secret).toString('hex'),
  'in a property of the cause of an error': (secret) =>
    everythingOf(new Error('no', { cause: Object.assign(new Error('why'), { options: { password: secret } }) })),
  'in a message that a stack repeats': (secret) => everythingOf(new Error('no', { cause: new Error(secret) })),
};

describe.each(Object.entries(ways))('a secret %s is found', (_, leak) => {
  it.each(Object.keys(planted) as Planted[])('%s, and no other', (name) => {
    const found = leaksIn(leak(planted[name]));
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((each) => each.startsWith(`${name} `))).toBe(true);
  });
});

it('finds nothing where nothing is', () => {
  expect(leaksIn(everythingOf(new Error('cannot log in', { cause: { user: 'user', password: '***' } })))).toEqual([]);
});
