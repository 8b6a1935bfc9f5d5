import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { resolveConfig } from '../../src/profiles/config.js';
import { openProfile } from '../../src/profiles/profiles.js';
import { readTopic } from '../../src/topics/read-topic.js';
import { millrace, userFolder } from './millrace.js';

const { folder, remove } = userFolder({});
afterAll(remove);

it('without a schema writes lines as they are: numbers beyond 2^53 are not rounded', async () => {
  const lines = ['{"id":9007199254740993}', '{"id": 1.10, "tags": []}'];
  const { code, err } = await millrace(['produce', 'ids', '--data', 'data'], {
    folder,
    input: `${lines.join('\n')}\n`,
  });
  expect([code, err]).toEqual([0, '']);
  const profile = await openProfile(resolveConfig({ flags: { data: join(folder, 'data') }, env: {} }));
  const written = [];
  for await (const { record } of readTopic(profile, 'ids')) written.push(String(record.value));
  await profile.close();
  expect(written).toEqual(lines);
});
