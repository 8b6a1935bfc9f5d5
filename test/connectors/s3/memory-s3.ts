import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault = 'lose' | 'busy' | 'cut' | 'half' | undefined;

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly bytes: number;
  readonly range: string | undefined;
}

/** The smallest part of an upload that is not its last one. */
const PART_BYTES_MIN = 5 * 1024 * 1024;

const tagOf = (body: Buffer) => `"${createHash('md5').update(body).digest('hex')}"`;

/**
 * An object store in memory, over HTTP: objects, ranges of them, lists and uploads in parts. It refuses what S3 refuses, and `fault`
 * may refuse more: nothing is done (`busy`, `cut`), the answer is lost (`lose`), or half of its body is (`half`).
 *
 * @example
 * const store = await memoryS3();
 * const { sink } = openS3({ url: store.url, schemas: localRegistry() });
 */
export async function memoryS3(fault: (method: string, path: string) => Fault = () => undefined) {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, { readonly key: string; readonly parts: Map<number, Buffer> }>();
  const asked: Asked[] = [];
  let begun = 0;

  interface Answer {
    readonly status?: number;
    readonly headers?: Record<string, string>;
    readonly body?: Buffer | string;
  }
  const refuse = (status: number, code: string): Answer => ({ status, body: `<Error><Code>${code}</Code></Error>` });

  function complete(id: string, text: string): Answer {
    const upload = uploads.get(id);
    if (!upload) return refuse(404, 'NoSuchUpload');
    const named = [...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
      n: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
      tag: /<ETag>(.*?)</.exec(part)?.[1]?.replaceAll('&quot;', '"'),
    }));
    const bodies = named.map(({ n }) => upload.parts.get(n));
    const isSound = named.every(({ n, tag }, i) => {
      const body = bodies[i];
      const isOrdered = i === 0 || n > (named[i - 1]?.n ?? 0);
      return body && isOrdered && tag === tagOf(body) && (i === named.length - 1 || body.length >= PART_BYTES_MIN);
    });
    if (!isSound || named.length === 0) return refuse(400, 'InvalidPart');
    objects.set(upload.key, Buffer.concat(bodies as Buffer[]));
    uploads.delete(id);
    return { body: '<CompleteMultipartUploadResult/>' };
  }

  function answer(method: string, url: URL, body: Buffer, headers: IncomingMessage['headers']): Answer {
    const key = decodeURIComponent(url.pathname.slice(1)).replace(/\/$/, '');
    const query = url.searchParams;
    const id = query.get('uploadId');
    if (query.has('list-type')) {
      const found = [...objects.keys()].filter((each) => each.startsWith(`${key}/${query.get('prefix') ?? ''}`));
      const keys = found.map(
        (each) => `<Contents><Key>${encodeURIComponent(each.slice(key.length + 1))}</Key></Contents>`,
      );
      return { body: `<ListBucketResult>${keys.join('')}</ListBucketResult>` };
    }
    if (method === 'POST' && query.has('uploads')) {
      uploads.set(`${++begun}`, { key, parts: new Map() });
      return { body: `<InitiateMultipartUploadResult><UploadId>${begun}</UploadId></InitiateMultipartUploadResult>` };
    }
    if (id !== null && !uploads.has(id)) return refuse(404, 'NoSuchUpload');
    if (method === 'POST' && id !== null) return complete(id, body.toString());
    if (method === 'PUT') {
      if (id === null) objects.set(key, body);
      else uploads.get(id)?.parts.set(Number(query.get('partNumber')), body);
      return { headers: { etag: tagOf(body) } };
    }
    if (method === 'DELETE') {
      if (id === null) objects.delete(key);
      else uploads.delete(id);
      return { status: 204 };
    }
    const object = objects.get(key);
    if (!object) return refuse(404, 'NoSuchKey');
    const etag = tagOf(object);
    if (headers['if-match'] !== undefined && headers['if-match'] !== etag) return refuse(412, 'PreconditionFailed');
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? [];
    const part = from === undefined ? object : object.subarray(Number(from), to ? Number(to) + 1 : undefined);
    return {
      status: from === undefined ? 200 : 206,
      headers: { etag, 'content-length': `${part.length}` },
      body: part,
    };
  }

  function reply(method: string, response: ServerResponse, what: Fault, { status = 200, headers, body = '' }: Answer) {
    if (what === 'lose') return void response.destroy();
    response.writeHead(status, headers);
    if (method === 'HEAD') return void response.end();
    if (what !== 'half' || body.length < 2) return void response.end(body);
    response.write(body.slice(0, body.length / 2), () => response.destroy());
  }

  const server = createServer(async (request, response) => {
    const { method = '', url = '/', headers } = request;
    const body: Buffer[] = [];
    for await (const piece of request) body.push(piece as Buffer);
    const bytes = Buffer.concat(body);
    asked.push({ method, path: url, bytes: bytes.length, range: headers.range });
    const what = fault(method, url);
    if (what === 'cut') return void response.destroy();
    if (what === 'busy') return void response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
    reply(method, response, what, answer(method, new URL(url, 'http://store'), bytes, headers));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://key:secret@127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    uploads,
    asked,
    /** The paths of objects that readers see. */
    shown: () => [...objects.keys()].filter((key) => !key.includes('/.millrace/')).sort(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
