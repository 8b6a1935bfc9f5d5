import { afterEach, expect, it } from 'vitest';
import type { SchemaText } from '../../../src/core/schema.js';
import { openWorld, type World } from './world.js';

let world: World | undefined;
afterEach(() => world?.close());

const avro = (...fields: readonly object[]): SchemaText => ({
  format: 'avro',
  text: JSON.stringify({ type: 'record', name: 'R', fields }),
  references: [],
});
const id = { name: 'id', type: 'long' };

it('takes versions that read what is stored, and no others, also after a restart', async () => {
  world = await openWorld();
  const register = (schema: SchemaText, subject = 'r') => (world as World).embedded.schemas.idOf(subject, schema);
  const first = await register(avro(id));
  const second = avro(id, { name: 'note', type: 'string', default: '' });
  await register(second);
  await world.restart();
  const refused = {
    code: 'schema',
    permanent: true,
    where: 'r',
    message: expect.stringContaining('cannot read what is stored'),
  };
  await expect(register(avro(id, { name: 'cents', type: 'long' }))).rejects.toMatchObject(refused);
  await expect(register({ ...second, format: 'json-schema', text: '{"type":"object"}' })).rejects.toMatchObject(
    refused,
  );
  expect(await register(avro(id))).toBe(first); // known already, as of a topology that was not changed yet
  await register(avro(id, { name: 'cents', type: 'long' }), 'another subject');
});
