import { afterEach, expect, it, vi } from 'vitest';
import { http } from '../../../connectors/http/index.js';
import { httpSource } from '../../../connectors/http/source.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import { json, localRegistry } from '../../../src/schema/index.js';
import { memoryKafka } from '../kafka/memory-kafka.js';

afterEach(() => {
  vi.restoreAllMocks();
});

it('refuses a record that the topic does not take, and accepts those after it', async () => {
  const kafka = await memoryKafka().connect();
  const producer = kafka.producer();
  await producer.createTopic('clicks', 1, { 'max.message.bytes': '1000' });
  await producer.close();
  const source = http.ingestSource<{ text: string }>({ topic: 'clicks', schema: json<{ text: string }>(), port: 0 });
  const driver = httpSource({ schemas: localRegistry(), topics: kafka.source, producer: () => kafka.producer() });
  const at = { task: { topology: 't', partition: 0 }, partition: 0, offset: EARLIEST, bounded: false, step: 'in' };
  const reader = await driver.open(source, at);
  const send = async (text: string) => {
    const address = `http://127.0.0.1:${driver.portOf('clicks')}/`;
    const answer = await fetch(address, { method: 'POST', body: JSON.stringify({ text }) });
    return [answer.status, await answer.json()];
  };
  const accepted = [202, { accepted: 1 }];
  expect(await send('small')).toEqual(accepted);
  expect(await send('x'.repeat(2_000))).toEqual([413, { error: 'a record is larger than the topic takes' }]);
  expect(await Promise.all([send('small'), send('x'.repeat(2_000)), send('again')])).toEqual([
    accepted,
    [413, expect.anything()],
    accepted,
  ]);
  const texts: string[] = [];
  while (texts.length < 3) {
    const { records } = await reader.poll(10);
    texts.push(...records.map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()).text as string));
  }
  expect(texts.sort()).toEqual(['again', 'small', 'small']);
  await reader.close();
  await driver.close();
  await kafka.close();
});
