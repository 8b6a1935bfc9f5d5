import { afterAll, describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { json } from '../../src/schema/index.js';
import { inputFiles } from '../../src/verify/inputs.js';
import { millrace, userFolder } from '../cli/millrace.js';
import { topologiesFile } from './topologies.js';

const source = (id: string) => ({ id, source: kafka.source({ topic: id, schema: json<unknown>() }) });
const one = { sources: [source('clicks')] };
const two = { sources: [source('payments'), source('reviews')] };
const here = import.meta.filename;

describe('inputFiles', () => {
  it('belongs to the source that it names, or to the only one', () => {
    expect(inputFiles([here], one)).toEqual(new Map([['clicks', here]]));
    expect(inputFiles([`clicks=${here}`], one)).toEqual(new Map([['clicks', here]]));
    expect(inputFiles([`reviews=${here}`], two)).toEqual(new Map([['reviews', here]]));
    expect(inputFiles([], two)).toEqual(new Map());
  });

  it('refuses what names no source, and says how to; and a file that is not there', () => {
    expect(() => inputFiles([here], two)).toThrow(
      expect.objectContaining({ code: 'config', hint: expect.stringContaining('--input payments=FILE') }),
    );
    expect(() => inputFiles(['payments=/no/such/file'], two)).toThrow(
      expect.objectContaining({ message: 'no such file', where: '/no/such/file' }),
    );
    expect(() => inputFiles(['payments=/'], two)).toThrow(
      expect.objectContaining({ message: 'is a folder', where: '/', hint: expect.stringMatching(/./) }),
    );
  });
});

describe('what cannot be verified', () => {
  const user = userFolder({ 'shop.ts': topologiesFile('shop'), 'none.ndjson': '\n' });
  afterAll(() => user.remove());

  it.each([
    ['input that is nowhere', [], 'topic shop.clicks does not exist', 'creates it'],
    ['no records', ['--input', 'none.ndjson'], 'there is nothing to read', '--input'],
    [
      'several processes on one store',
      ['--processes', '2'],
      'the embedded profile runs in one process',
      '--profile cluster',
    ],
  ])('%s', async (_what, args, message, hint) => {
    const { code, err } = await millrace(['verify', 'shop.ts#right', ...args], user);
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(err).toContain(hint);
  });
});
