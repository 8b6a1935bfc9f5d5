import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { promisify } from 'node:util';
import { gunzip, type ZlibOptions } from 'node:zlib';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { TopicProducer } from '../../src/core/profile.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import { keyBytes } from '../../src/core/sink.js';
import type { WireDecoder } from '../../src/schema/index.js';
import { refusalOf } from '../../src/util/http-access.js';
import type { Ingest, Tls } from './kinds.js';

export interface IngestParts {
  readonly options: Ingest;
  readonly codec: WireDecoder<unknown>;
  readonly producer: TopicProducer;
  readonly token: string | undefined;
  /** Processing time, for records without an event time of their own. */
  readonly now: () => number;
  /** How long a request may take to arrive, `REQUEST_MS` by default. */
  readonly requestMs?: number | undefined;
}

const REQUEST_MS = 30_000;
/** How long the head of a request, or a TLS handshake, may take. */
const HEAD_MS = 10_000;
/** The most bodies of full length in memory at the same time. */
const LONG_REQUESTS_MAX = 16;

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
 * The HTTP server of an ingest source. It rejects what it cannot parse, and answers once the rest is durable. A request that does
 * not arrive in time is cut off, and so are requests still arriving when the server closes; their clients got no answer. Memory:
 * `pendingMax` records, and `LONG_REQUESTS_MAX` times `bytesMax` for bodies in flight.
 */
export class IngestServer {
  private pending = 0;
  /** Bytes of bodies that are arriving. */
  private arriving = 0;
  /** Records that are being stored, with clients waiting for the answer. */
  private readonly storing = new Set<Promise<unknown>>();
  private readonly sockets = new Set<Socket>();
  private closing = false;

  private constructor(
    private readonly parts: IngestParts,
    private readonly server: Server,
  ) {}

  static async open(parts: IngestParts): Promise<IngestServer> {
    const { host, port, topic, tls } = parts.options;
    const server = await serverOf(tls, topic, parts.requestMs ?? REQUEST_MS);
    const ingest = new IngestServer(parts, server);
    server.on('request', (request, response) => void ingest.answer(request, response));
    server.on('connection', (socket: Socket) => {
      ingest.sockets.add(socket);
      socket.once('close', () => ingest.sockets.delete(socket));
    });
    server.maxConnections = 1_000;
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (cause) {
      throw new MillraceError('config', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
        where: topic,
        hint: 'choose a free port; on one machine only one process of a topology can have it',
        permanent: true,
        cause,
      });
    }
    return ingest;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.closing = true;
    const closed = new Promise((resolve) => this.server.close(resolve));
    await Promise.all(this.storing);
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The response was sent, or the client is gone.
    const heard = new Promise((resolve) => response.once('close', resolve));
    const { status, body, retryAfter } = await this.answerTo(request, heard);
    if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
    if (this.closing) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  private async answerTo(request: IncomingMessage, heard: Promise<unknown>): Promise<Answer> {
    let counted = 0;
    try {
      this.admit(request);
      const body = await this.unpacked(await this.bodyOf(request), request.headers['content-encoding']);
      if (this.closing) throw new Refused(503, 'the door is closing', 1);
      const records = this.recordsOf(body, request.headers['content-type'] ?? '');
      const { pendingMax, topic } = this.parts.options;
      if (this.pending > 0 && this.pending + records.length > pendingMax) {
        throw new Refused(429, 'too many requests are arriving', 1);
      }
      counted = records.length;
      this.pending += counted;
      const stored = this.parts.producer.send(topic, records);
      this.waitFor(Promise.allSettled([stored, heard]));
      await stored;
      return { status: 202, body: { accepted: counted } };
    } catch (error) {
      request.resume(); // the rest is read and ignored, so that the client gets the answer
      if (error instanceof Refused) {
        const { status, message, retryAfter } = error;
        return { status, body: { error: message }, ...(retryAfter === undefined ? {} : { retryAfter }) };
      }
      // It is unknown whether the record was stored, so the client sends it again.
      return { status: 503, body: { error: 'it could not be stored' }, retryAfter: 1 };
    } finally {
      this.pending -= counted;
    }
  }

  private waitFor(work: Promise<unknown>): void {
    const done: Promise<unknown> = work.then(() => this.storing.delete(done));
    this.storing.add(done);
  }

  private admit({ method, headers }: IncomingMessage): void {
    if (method !== 'POST') throw new Refused(405, 'records come by POST');
    const refusal = refusalOf(headers, this.parts.token);
    if (refusal) throw new Refused(refusal.status, refusal.message);
    if (this.pending >= this.parts.options.pendingMax) throw new Refused(429, 'too many requests are arriving', 1);
  }

  private async bodyOf(request: IncomingMessage): Promise<Buffer> {
    const { bytesMax } = this.parts.options;
    const parts: Buffer[] = [];
    let size = 0;
    try {
      // By default, leaving the loop early would close the connection before the response is sent.
      for await (const part of request.iterator({ destroyOnReturn: false })) {
        const { length } = part as Buffer;
        size += length;
        this.arriving += length;
        if (size > bytesMax) throw new Refused(413, `more than ${bytesMax} bytes`);
        if (this.arriving > LONG_REQUESTS_MAX * bytesMax) throw new Refused(429, 'too many requests are arriving', 1);
        parts.push(part as Buffer);
      }
      return Buffer.concat(parts);
    } finally {
      this.arriving -= size;
    }
  }

  private async unpacked(body: Buffer, encoding = 'identity'): Promise<Buffer> {
    if (encoding === 'identity') return body;
    if (encoding !== 'gzip') throw new Refused(415, `${encoding} is not supported: send gzip, or no compression`);
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

  private keyOf(bytes: Buffer, index: number): Uint8Array | null {
    const { codec, options } = this.parts;
    try {
      const value = codec.decode(bytes);
      return options.key === undefined ? null : keyBytes(options.key(value));
    } catch (error) {
      throw new Refused(422, `record ${index}: ${messageOf(error)}`);
    }
  }
}

const unzip = promisify<Buffer, ZlibOptions, Buffer>(gunzip);

async function serverOf(tls: Tls | undefined, where: string, requestMs: number): Promise<Server> {
  const headMs = Math.min(HEAD_MS, requestMs);
  // Set on an existing server, a request timeout below the header timeout would be exchanged with it.
  const timeOuts = { requestTimeout: requestMs, headersTimeout: headMs, connectionsCheckingInterval: headMs / 4 };
  if (tls === undefined) return createServer(timeOuts);
  try {
    const [cert, key] = await Promise.all([readFile(tls.certificate), readFile(tls.key)]);
    return createSecureServer({ cert, key, ...timeOuts, handshakeTimeout: headMs });
  } catch (cause) {
    throw new MillraceError('config', `the certificate or its key cannot be used: ${messageOf(cause)}`, {
      where,
      hint: 'tls names two files of PEM that belong together, and that this process may read',
      permanent: true,
      cause,
    });
  }
}

/** The texts of records, made one by one: a body may hold more records than are accepted at once. */
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

/** A parsed value may still be nested too deeply to be written. */
function json<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Refused(400, `not JSON, or nested too deep: ${messageOf(error)}`);
  }
}
