import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decryptedLetter,
  fittingLetter,
  letterKey,
  letterWriter,
} from '../../../connectors/kafka/dead-letter-record.js';
import { deadLetterHeaders, REPLAYED } from '../../../connectors/kafka/topic-options.js';
import { originAt } from '../../../src/testing/contract.js';
import { letterOf } from '../../../src/topics/dead-letters.js';

const key = randomBytes(32);
const origin = {
  ...originAt(7),
  key: Buffer.from('ada@example.org'),
  raw: Buffer.from('{"mail":"ada@example.org"}'),
  headers: [
    ['user', Buffer.from('ada@example.org')],
    [REPLAYED, Buffer.from('dead/0/1')],
    [deadLetterHeaders.raw, Buffer.from('encrypt')], // a producer's own idea
  ] as const,
};
const letter = { reason: 'format:mail', detail: 'ada@example.org is no address', step: 'validate', origin };
const write = (raw: 'keep' | 'encrypt' | 'omit' | undefined, about = letter) =>
  letterWriter({ topic: 'dead', raw }, key)(about);
const read = (record: ReturnType<typeof write>, with_ = undefined as Buffer | undefined) =>
  letterOf({ partition: 0, record: { ...record, offset: 3, timestampMs: 0 } }, with_);
const textOf = (record: object) =>
  JSON.stringify(record, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value));

describe('a record of a dead letter', () => {
  it('keeps reason, origin, digest and the first bytes where it does not fit into the topic', () => {
    const raw = randomBytes(1_048_450);
    const large = { ...letter, detail: 'x'.repeat(5_000), origin: { ...origin, raw } };
    for (const bytesMax of [1_048_588, 10_000]) {
      const record = fittingLetter(write(undefined, large), bytesMax);
      const size =
        (record.value?.length ?? 0) + record.headers.reduce((sum, [name, b]) => sum + name.length + b.length, 0);
      expect(size).toBeLessThan(bytesMax);
      const found = read(record);
      expect(found).toMatchObject({ reason: 'format:mail', step: 'validate', raw: 'cut', replayed: true });
      expect(found.origin).toEqual({ topic: origin.topic, partition: origin.partition, offset: origin.offset });
      expect(found.key).toEqual(origin.key);
      expect(found.value?.length).toBeGreaterThan(5_000);
      expect(raw.subarray(0, found.value?.length)).toEqual(found.value);
      const header = new Map(record.headers);
      expect(header.get(deadLetterHeaders.bytes)).toEqual(Buffer.from('1048450'));
      expect(header.get(deadLetterHeaders.digest)).toEqual(Buffer.from(createHash('sha256').update(raw).digest('hex')));
    }
    for (const way of ['encrypt', 'omit'] as const) {
      const record = fittingLetter(write(way, large), 900);
      if (way === 'encrypt') expect(record.value).toBeNull();
      expect(read(record)).toMatchObject({ reason: 'format:mail', raw: 'omit', value: null });
    }
    expect(fittingLetter(write(undefined), 1_048_588)).toEqual(write(undefined));
    const small = write(undefined);
    const least = Array.from({ length: 2_000 }, (_, bytesMax) => bytesMax).find(
      (bytesMax) => fittingLetter(small, bytesMax) === small,
    );
    const headers = small.headers.reduce((sum, [name, bytes]) => sum + name.length + bytes.length + 10, 0);
    expect(least).toBe(128 + (small.key?.length ?? 0) + (small.value?.length ?? 0) + headers);
  });

  it('is the record as it came, by default', () => {
    const found = read(write(undefined));
    expect(found).toMatchObject({ reason: 'format:mail', detail: letter.detail, raw: 'keep', replayed: true });
    expect([found.key, found.value]).toEqual([origin.key, origin.raw]);
    expect(found.headers.map(([name]) => name)).toEqual(['user', REPLAYED]);
  });

  it.each(['encrypt', 'omit'] as const)('holds nothing of it with %s, but reason, step and origin', (raw) => {
    const record = write(raw);
    expect(textOf(write('keep'))).toContain('ada@example.org');
    expect(textOf(record)).not.toContain('ada@');
    expect(read(record)).toMatchObject({
      reason: 'format:mail',
      detail: '',
      step: 'validate',
      origin: { topic: origin.topic, partition: origin.partition, offset: origin.offset },
      key: null,
      raw,
      replayed: true,
    });
  });

  it('is decrypted with the key, bit for bit', () => {
    const found = read(write('encrypt'), key);
    expect(found).toMatchObject({ detail: letter.detail, raw: 'keep', replayed: true });
    expect([found.key, found.value]).toEqual([origin.key, origin.raw]);
    expect(found.headers).toEqual(origin.headers.map(([name, bytes]) => [name, bytes]));
    const nothing = { ...letter, origin: { ...origin, key: null, raw: null, headers: undefined } };
    expect(read(write('encrypt', nothing as never), key)).toMatchObject({ key: null, value: null, headers: [] });
  });

  it('is encrypted the same in every replay, and differently for another record', () => {
    expect(write('encrypt')).toEqual(write('encrypt'));
    const other = { ...letter, origin: { ...origin, offset: 8 } };
    expect(write('encrypt', other).value?.subarray(0, 12)).not.toEqual(write('encrypt').value?.subarray(0, 12));
  });

  it('is refused with another key, changed, or under the place of another', () => {
    const record = write('encrypt');
    const changed = { ...record, value: Uint8Array.from(record.value ?? []).fill(0, 20, 21) };
    const elsewhere = { ...record, headers: write('encrypt', { ...letter, origin: { ...origin, offset: 8 } }).headers };
    for (const [each, with_] of [
      [record, randomBytes(32)],
      [changed, key],
      [elsewhere, key],
      [{ ...record, value: null }, key],
    ] as const)
      expect(() => decryptedLetter(each, with_, 'dead/0/3')).toThrowError(/cannot be decrypted/);
  });

  it('needs a key of 32 bytes to be encrypted', () => {
    expect(() => letterWriter({ topic: 'dead', raw: 'encrypt' }, undefined)).toThrowError(/no key/);
    expect(letterKey('')).toBeUndefined();
    expect(letterKey(key.toString('base64'))).toEqual(key);
    expect(letterKey(key.toString('hex'))).toEqual(key);
    for (const text of ['short', key.toString('base64').slice(0, 20)])
      expect(() => letterKey(text)).toThrowError(
        expect.objectContaining({ message: expect.not.stringContaining(text) }),
      );
  });
});
