import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { Buckets } from '../../../connectors/s3/bucket.js';
import { BucketStore } from '../../../connectors/s3/bucket-store.js';
import { putTogether, Upload } from '../../../connectors/s3/upload.js';

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

interface Asked {
  readonly method: string | undefined;
  readonly bytes: number;
  readonly range: string | undefined;
  readonly ifMatch: string | undefined;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

type Answer = (response: ServerResponse) => unknown;

/** A store that answers each request in turn as it is told; the headers that it was asked with. */
const storeOf = (...answers: readonly Answer[]) => patientStore(300, ...answers);

async function patientStore(timeoutMs: number, ...answers: readonly Answer[]) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const { method, headers, url: path = '' } = request;
    const bytes = Number(headers['content-length'] ?? 0);
    asked.push({ method, bytes, range: headers.range, ifMatch: headers['if-match'], path, headers });
    void answers[asked.length - 1]?.(response);
  }).listen(0, '127.0.0.1');
  ended.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const url = `http://key:secret@127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, buckets: new Buckets({ url, attemptsMax: 3, timeoutMs }, 'source') };
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts).toString();
}

const silent = () => undefined;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('Buckets', () => {
  it('has as much patience with a reader as it takes', async () => {
    const { buckets } = await storeOf((response) => response.end('x'.repeat(300_000)));
    let length = 0;
    for await (const part of buckets.stream('lake/large')) {
      length += part.length;
      if (length === part.length) await sleep(700);
    }
    expect(length).toBe(300_000);
  });

  it('gives up a store that is silent, before its answer or in it', async () => {
    const { buckets, asked } = await storeOf(silent, (response) => response.write('half'), silent);
    const failure = await buckets.bytes('lake/silent').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'source', permanent: false });
    expect(String((failure as Error).message)).toContain('no answer within 300 ms');
    expect(asked.length).toBe(3);
  });

  it('gives it up though garbage is collected meanwhile', async () => {
    const { buckets, asked } = await patientStore(
      1_000, // collecting takes time on a busy machine
      silent,
      (response) => response.writeHead(200, { etag: '"a"' }).write('half'),
      (response) => response.writeHead(206, { etag: '"a"' }).end('way'),
    );
    const collecting = setInterval(collect, 50);
    ended.push(() => clearInterval(collecting));
    expect(await textOf(buckets.stream('lake/silent'))).toBe('halfway');
    expect(asked.length).toBe(3);
  }, 20_000);

  it('goes on where an answer broke off or fell silent, while the object is the same', async () => {
    const begin = (response: ServerResponse) => response.writeHead(200, { etag: '"a"', 'content-length': '9' });
    const { buckets, asked } = await storeOf(
      (response) => begin(response).write('abc', () => setTimeout(() => response.destroy(), 20)),
      (response) => response.writeHead(206, { etag: '"a"', 'content-length': '6' }).write('def'),
      (response) => response.writeHead(206, { etag: '"a"', 'content-length': '3' }).end('ghi'),
    );
    expect(await textOf(buckets.stream('lake/object'))).toBe('abcdefghi');
    expect(asked).toMatchObject([
      { range: undefined, ifMatch: undefined },
      { range: 'bytes=3-', ifMatch: '"a"' },
      { range: 'bytes=6-', ifMatch: '"a"' },
    ]);
  });

  it('does not put two objects together', async () => {
    const { buckets } = await storeOf(
      (response) =>
        response.writeHead(200, { etag: '"a"' }).write('abc', () => setTimeout(() => response.destroy(), 20)),
      (response) => response.writeHead(412).end(),
    );
    await expect(textOf(buckets.stream('lake/object'))).rejects.toMatchObject({ code: 'source', permanent: true });
  });

  it('takes an upload for complete whose answer was lost', async () => {
    const { buckets, asked } = await storeOf(
      (response) => response.end('<UploadId>1</UploadId>'),
      (response) => response.end(), // the marker
      (response) => response.writeHead(200, { etag: '"part"' }).end(),
      (response) => response.writeHead(200, { etag: '"part"' }).end(),
      (response) => response.destroy(),
      (response) => response.writeHead(404).end('<Error><Code>NoSuchUpload</Code></Error>'),
      (response) => response.writeHead(200, { etag: '"whole"' }).end(), // of the object
      (response) => response.end(), // the marker goes
    );
    await putTogether(buckets, 'lake/object', 'lake/marker', async function* () {
      yield Buffer.from('a part');
      yield Buffer.from('another');
    });
    expect(asked.map(({ method }) => method)).toEqual(['POST', 'PUT', 'PUT', 'PUT', 'POST', 'POST', 'HEAD', 'DELETE']);
  });

  it.each([
    [404, 'NoSuchUpload', /rows of part-1 that the checkpoint lists as written are missing/],
    [403, 'AccessDenied', /AccessDenied/],
  ])('takes rows for lost where their upload is gone, not where it is refused: %i', async (status, code, why) => {
    const missing = (response: ServerResponse) => response.writeHead(404).end();
    const { buckets, asked } = await storeOf(
      (response) => response.end('<ListBucketResult/>'), // what an owner before left
      missing, // the object
      (response) => response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`), // the end of its upload
      missing, // the object again
    );
    const compress = async (bytes: Uint8Array) => bytes;
    const store = await BucketStore.open({ buckets, folder: 'lake', owner: '0', compress } as never);
    const parts = { id: '1', tags: ['"part"'], marker: 'lake/marker' };
    await expect(store.show('part-1', { parts, runs: [], bytes: 0, merged: [] })).rejects.toThrow(why);
    expect(asked.map(({ method }) => method).slice(0, 3)).toEqual(['GET', 'HEAD', 'POST']);
  });

  it('tries again to end an upload, where a store does not find its way among the parts', async () => {
    const { buckets, asked } = await storeOf(
      (response) => response.writeHead(400).end('<html>For input string: "7-3f1c"</html>'),
      (response) => response.writeHead(400).end('<Error><Code>InvalidPart</Code></Error>'),
      (response) => response.end('<CompleteMultipartUploadResult/>'),
    );
    await buckets.completeUpload('lake/object', '1', []);
    expect(asked.length).toBe(3);
  });

  it('tries again to end an upload whose answer begins well and ends as an error', async () => {
    const { buckets, asked } = await storeOf(
      (response) => response.end('<Error><Code>InternalError</Code><Message>try again</Message></Error>'),
      (response) => response.end('<CompleteMultipartUploadResult/>'),
    );
    await buckets.completeUpload('lake/object', '1', []);
    expect(asked.length).toBe(2);
  });

  it.each([
    [500, 3, /bucket exists/],
    [501, 1, /bucket exists/],
    [503, 3, /bucket exists/],
    [429, 3, /bucket exists/],
    [408, 3, /bucket exists/],
    [404, 1, /bucket exists/],
    [400, 1, /bucket exists/],
    [301, 1, /region=/],
    [401, 1, /AWS_ACCESS_KEY_ID/],
    [403, 1, /AWS_ACCESS_KEY_ID/],
    [412, 1, /replaced while it was read/],
  ])('asks again after status %i as far as it may pass: %i times, with a hint', async (status, times, hint) => {
    const refuse: Answer = (response) => response.writeHead(status).end();
    const { buckets, asked } = await storeOf(refuse, refuse, refuse, refuse);
    await expect(buckets.bytes('lake/object')).rejects.toMatchObject({
      ...{ code: 'source', where: buckets.where, permanent: times === 1, hint: expect.stringMatching(hint) },
      message: expect.stringMatching(new RegExp(`^cannot GET lake/object: status ${status}`)),
    });
    expect(asked.length).toBe(times);
  });

  it('reads ranges of one object, and refuses a store that gives all of it', async () => {
    const { buckets, asked } = await storeOf(
      (response) => response.writeHead(206, { etag: '"a"' }).end('cde'),
      (response) => response.writeHead(200, { etag: '"a"' }).end('abcdef'),
    );
    const range = { start: 2, end: 5, mark: '"a"' };
    expect(Buffer.from(await buckets.bytes('lake/object', range)).toString()).toBe('cde');
    expect(asked).toMatchObject([{ range: 'bytes=2-4', ifMatch: '"a"' }]);
    await expect(buckets.bytes('lake/object', range)).rejects.toMatchObject({
      permanent: true,
      hint: expect.stringContaining('must answer ranges'),
    });
  });

  it('knows what an object is, and that there is none', async () => {
    const modified = { 'content-length': '7', etag: '"a"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' };
    const { buckets } = await storeOf(
      (response) => response.writeHead(200, modified).end(),
      (response) => response.writeHead(404).end(),
      (response) => response.writeHead(403).end(),
    );
    expect(await buckets.head('lake/a')).toEqual({ size: 7, mark: '"a"', writtenMs: Date.UTC(2026, 0, 1) });
    expect(await buckets.head('lake/b')).toBeUndefined();
    await expect(buckets.head('lake/c')).rejects.toMatchObject({ permanent: true });
  });

  it('answers a ping with any status but an error of its own', async () => {
    const status = (code: number) => (response: ServerResponse) => response.writeHead(code).end();
    const { buckets, asked } = await storeOf(status(403), status(307), status(500));
    await buckets.ping();
    await buckets.ping();
    await expect(buckets.ping()).rejects.toMatchObject({ code: 'source', permanent: false });
    expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'HEAD', 'HEAD']);
  });

  it('puts an object of one part, or of none, at once', async () => {
    const ok: Answer = (response) => response.end();
    const one = await storeOf(ok, ok);
    await putTogether(one.buckets, 'lake/one', 'lake/marker', async function* () {
      yield Buffer.from('all');
    });
    await putTogether(one.buckets, 'lake/none', 'lake/marker', async function* () {});
    expect(one.asked.map(({ method, path, bytes }) => [method, path.split('?')[0], bytes])).toEqual([
      ['PUT', '/lake/one', 3],
      ['PUT', '/lake/none', 0],
    ]);
  });

  it('names keys as they are, whatever characters they have, over all pages', async () => {
    const page = (key: string, next = '') =>
      `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>${key}</Key></Contents>${next}</ListBucketResult>`;
    const { buckets, asked } = await storeOf(
      (response) => response.end(page('b%26b+b%2Bb', '<NextContinuationToken>1&amp;2</NextContinuationToken>')),
      (response) => response.end(page('a%3C%01%C3%A9')),
    );
    expect(await buckets.list('lake/')).toEqual(['lake/a<\u0001\u00e9', 'lake/b&b b+b']);
    expect(asked[1]?.path).toContain(`continuation-token=${encodeURIComponent('1&2')}`);
  });

  it('signs the MD5 of an object, and leaves out what costs a second look at the body', async () => {
    const { buckets, asked } = await storeOf((response) => response.end());
    await buckets.put('lake/object', Buffer.from('a'));
    const { headers } = asked[0] as Asked;
    expect(headers).toMatchObject({
      'content-md5': 'DMF1ucDxtqgxw5niaXcmYQ==',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'content-length': '1',
    });
    expect(headers.authorization).toContain('content-md5');
    expect(headers).not.toHaveProperty('x-amz-checksum-crc32');
  });

  it('carries its signature nowhere else', async () => {
    const elsewhere = await storeOf((response) => response.end());
    const { buckets, asked } = await storeOf((response) =>
      response.writeHead(307, { location: `${elsewhere.buckets.where}/lake/object` }).end(),
    );
    await expect(buckets.put('lake/object', Buffer.from('a'))).rejects.toMatchObject({
      code: 'source',
      permanent: true,
    });
    expect([asked.length, elsewhere.asked.length]).toEqual([1, 0]);
  });

  it('leaves the marker of an upload that could not be taken back', async () => {
    const { buckets, asked } = await storeOf(
      (response) => response.end('{"path":"lake/object","id":"1"}'),
      (response) => response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>'),
    );
    await Upload.takeBack(buckets, 'lake/marker');
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'DELETE']);
  });
});
