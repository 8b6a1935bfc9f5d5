import { isUtf8 } from 'node:buffer';
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzip, type ZlibOptions } from 'node:zlib';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { TopicProducer } from '../../src/core/io.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import type { WireDecoder } from '../../src/schema/index.js';
import type { Ingest, Tls } from './ingest.js';

export interface IngestParts {
  readonly options: Ingest;
  readonly codec: WireDecoder<unknown>;
  readonly producer: TopicProducer;
  readonly token: string | undefined;
  /** Processing time, which records without an event time of their own get. */
  readonly now: () => number;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly retryAfter?: number;
}

class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/**
 * The door of an ingest source: refuses what cannot be read, and answers once the rest is durable. Memory: `pendingMax`
 * records, and the bodies of requests under way, each at most `bytesMax`.
 */
export class IngestServer {
  private pending = 0;

  private constructor(
    private readonly parts: IngestParts,
    private readonly server: Server,
  ) {}

  static async open(parts: IngestParts): Promise<IngestServer> {
    const { host, port, topic, tls } = parts.options;
    const server = await serverOf(tls, topic);
    server.on('request', (request, response) => {
      ingest.answer(request).then(({ status, body, retryAfter }) => {
        if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    const ingest = new IngestServer(parts, server);
    server.requestTimeout = 30_000;
    server.maxConnections = 1_000;
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (cause) {
      throw new MillraceError('config', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
        where: topic,
        hint: 'choose a free port; on one machine only one process of a topology can have it',
        lasting: true,
        cause,
      });
    }
    return ingest;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    await closed;
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    let counted = 0;
    try {
      this.admit(request);
      const body = await this.unpacked(await this.bodyOf(request), request.headers['content-encoding']);
      const records = this.recordsOf(body, request.headers['content-type'] ?? '');
      const { pendingMax, topic } = this.parts.options;
      if (this.pending > 0 && this.pending + records.length > pendingMax) {
        throw new Refused(429, 'too much is on its way already', 1);
      }
      counted = records.length;
      this.pending += counted;
      await this.parts.producer.send(topic, records);
      return { status: 202, body: { accepted: counted } };
    } catch (error) {
      request.resume(); // what is still to come is passed over, so that the answer is heard
      if (error instanceof Refused) {
        const { status, message, retryAfter } = error;
        return { status, body: { error: message }, ...(retryAfter === undefined ? {} : { retryAfter }) };
      }
      // Whether it came to lie in the topic cannot be known: the client sends it again.
      return { status: 503, body: { error: 'it could not be stored' }, retryAfter: 1 };
    } finally {
      this.pending -= counted;
    }
  }

  private admit({ method, headers }: IncomingMessage): void {
    if (method !== 'POST') throw new Refused(405, 'records come by POST');
    const { token } = this.parts;
    if (token !== undefined && !isSame(headers.authorization ?? '', `Bearer ${token}`)) {
      throw new Refused(401, 'a token is missing, or is another one');
    }
    if (this.pending >= this.parts.options.pendingMax) throw new Refused(429, 'too much is on its way already', 1);
  }

  private async bodyOf(request: IncomingMessage): Promise<Buffer> {
    const { bytesMax } = this.parts.options;
    const parts: Buffer[] = [];
    let size = 0;
    // Who leaves the loop early would otherwise cut the connection, and the answer would not be heard.
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      size += (part as Buffer).length;
      if (size > bytesMax) throw new Refused(413, `more than ${bytesMax} bytes`);
      parts.push(part as Buffer);
    }
    return Buffer.concat(parts);
  }

  private async unpacked(body: Buffer, encoding = 'identity'): Promise<Buffer> {
    if (encoding === 'identity') return body;
    if (encoding !== 'gzip') throw new Refused(415, `${encoding} is not unpacked here: send gzip, or plain text`);
    const { bytesMax } = this.parts.options;
    return unzip(body, { maxOutputLength: bytesMax }).catch((error: unknown) => {
      const isLong = (error as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
      throw isLong ? new Refused(413, `more than ${bytesMax} bytes`) : new Refused(400, 'not gzip');
    });
  }

  private recordsOf(body: Buffer, type: string): OutgoingRecord[] {
    if (!isUtf8(body)) throw new Refused(400, 'not text in UTF-8');
    const items = type.includes('ndjson') ? linesOf(body) : valuesOf(body);
    const { pendingMax } = this.parts.options;
    if (items.length > pendingMax) throw new Refused(413, `more than ${pendingMax} records`);
    const timestampMs = this.parts.now();
    return items.map((text, index) => {
      const value = Buffer.from(text());
      return { key: this.keyOf(value, index), value, timestampMs };
    });
  }

  private keyOf(bytes: Buffer, index: number): Buffer | null {
    const { codec, options } = this.parts;
    try {
      const value = codec.decode(bytes);
      return options.key === undefined ? null : Buffer.from(options.key(value));
    } catch (error) {
      throw new Refused(422, `record ${index}: ${messageOf(error)}`);
    }
  }
}

const unzip = promisify<Buffer, ZlibOptions, Buffer>(gunzip);

async function serverOf(tls: Tls | undefined, where: string): Promise<Server> {
  if (tls === undefined) return createServer();
  try {
    const [cert, key] = await Promise.all([readFile(tls.certificate), readFile(tls.key)]);
    return createSecureServer({ cert, key });
  } catch (cause) {
    throw new MillraceError('config', `the certificate or its key cannot be used: ${messageOf(cause)}`, {
      where,
      hint: 'tls names two files of PEM that belong together, and that this process may read',
      lasting: true,
      cause,
    });
  }
}

/** The texts of records, made one by one: a body may hold more of them than may come at once. */
type Texts = readonly (() => string)[];

const linesOf = (body: Buffer): Texts =>
  body
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => () => line);

function valuesOf(body: Buffer): Texts {
  const parsed = json(() => JSON.parse(body.toString()) as unknown);
  return (Array.isArray(parsed) ? parsed : [parsed]).map((value) => () => json(() => JSON.stringify(value)));
}

/** What is parsed may still be nested too deep to be written. */
function json<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Refused(400, `not JSON, or nested too deep: ${messageOf(error)}`);
  }
}

/** Takes as long whatever was guessed right. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
