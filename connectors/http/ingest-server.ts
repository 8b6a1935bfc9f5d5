import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createGunzip } from 'node:zlib';
import { MillraceError, messageOf, TooLarge } from '../../src/core/errors.js';
import type { TopicProducer } from '../../src/core/profile.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import { keyBytes } from '../../src/core/sink.js';
import type { WireDecoder } from '../../src/schema/index.js';
import { refusalOf } from '../../src/util/http-access.js';
import { nextTurn } from '../../src/util/next-turn.js';
import { linesOf, NotJson, valuesOf } from './ingest-body.js';
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
/** The most bodies of full length in memory at the same time, from their arrival until they are durable. */
const LONG_REQUESTS_MAX = 16;
/** What is unpacked or read in one turn of the loop. */
const PIECE_BYTES = 64 * 1024;

/** What a request holds of what all of them together may hold. */
interface Claim {
  records: number;
  bytes: number;
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
 * The HTTP server of an ingest source. It rejects what it cannot parse, and answers once the rest is durable. A request that does
 * not arrive in time is cut off, and so are requests still arriving when the server closes; their clients got no answer. Memory:
 * `pendingMax` records, and `LONG_REQUESTS_MAX` times `bytesMax` for bodies, packed and unpacked, until they are durable.
 */
export class IngestServer {
  private pending = 0;
  /** Bytes of bodies that are not yet durable. */
  private held = 0;
  private reading: Promise<unknown> = Promise.resolve();
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
        hint: 'choose a free port; only one process of a topology on a machine can use it',
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
    const claim: Claim = { records: 0, bytes: 0 };
    try {
      this.admit(request);
      const packed = await this.bodyOf(request, claim);
      const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = request.headers;
      const { topic } = this.parts.options;
      const records = await this.inTurn(async () => {
        const body = await this.unpacked(packed, encoding, claim);
        if (this.closing) throw new Refused(503, 'the door is closing', 1);
        return this.recordsOf(body, type, claim);
      });
      const stored = this.parts.producer.send(topic, records);
      this.waitFor(Promise.allSettled([stored, heard]));
      await stored;
      return { status: 202, body: { accepted: claim.records } };
    } catch (error) {
      request.resume(); // the rest is read and ignored, so that the client gets the answer
      if (error instanceof Refused) {
        const { status, message, retryAfter } = error;
        return { status, body: { error: message }, ...(retryAfter === undefined ? {} : { retryAfter }) };
      }
      // Sent again, it would be refused again. Other records of the request may be stored.
      if (error instanceof TooLarge) return { status: 413, body: { error: 'a record is larger than the topic takes' } };
      // It is unknown whether the record was stored, so the client sends it again.
      return { status: 503, body: { error: 'it could not be stored' }, retryAfter: 1 };
    } finally {
      this.pending -= claim.records;
      this.release(claim, claim.bytes);
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
    if (this.pending >= this.parts.options.pendingMax) throw tooMany();
  }

  private async bodyOf(request: IncomingMessage, claim: Claim): Promise<Buffer> {
    const parts: Buffer[] = [];
    // A loop that ends early would otherwise close the connection before the client has the answer.
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      const { length } = part as Buffer;
      this.hold(claim, claim.bytes + length, length);
      parts.push(part as Buffer);
    }
    return Buffer.concat(parts);
  }

  private async unpacked(body: Buffer, encoding: string, claim: Claim): Promise<Buffer> {
    if (encoding === 'identity') return body;
    if (encoding !== 'gzip') throw new Refused(415, `${encoding} is not supported: send gzip, or no compression`);
    const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
    gunzip.end(body);
    const parts: Buffer[] = [];
    let size = 0;
    try {
      for await (const part of gunzip) {
        size += (part as Buffer).length;
        this.hold(claim, size, (part as Buffer).length);
        parts.push(part as Buffer);
      }
    } catch (error) {
      throw error instanceof Refused ? error : new Refused(400, 'not gzip');
    }
    this.release(claim, body.length);
    return Buffer.concat(parts);
  }

  private async recordsOf(body: Buffer, type: string, claim: Claim): Promise<OutgoingRecord[]> {
    if (!isUtf8(body)) throw new Refused(400, 'not text in UTF-8');
    const { pendingMax } = this.parts.options;
    const timestampMs = this.parts.now();
    const isLines = type.includes('ndjson');
    const records: OutgoingRecord[] = [];
    let inTurn = 0;
    try {
      for (const value of isLines ? linesOf(body) : valuesOf(body)) {
        if (value === undefined || inTurn > PIECE_BYTES) {
          await nextTurn();
          inTurn = 0;
        }
        if (value === undefined) continue;
        if (records.length === pendingMax) throw new Refused(413, `more than ${pendingMax} records`);
        if (this.pending > 0 && this.pending + records.length === pendingMax) throw tooMany();
        inTurn += value.length;
        records.push({ key: this.keyOf(value, records.length, isLines), value, timestampMs });
      }
    } catch (error) {
      if (error instanceof NotJson) throw new Refused(400, `not JSON: ${error.message}`);
      throw error;
    }
    claim.records = records.length;
    this.pending += claim.records;
    return records;
  }

  private keyOf(bytes: Buffer, index: number, isLine: boolean): Uint8Array | null {
    const { codec, options } = this.parts;
    try {
      const value = codec.decode(bytes);
      return options.key === undefined ? null : keyBytes(options.key(value));
    } catch (error) {
      if (!isLine && !isJson(bytes)) throw new Refused(400, `not JSON: ${messageOf(error)}`);
      throw new Refused(422, `record ${index}: ${messageOf(error)}`);
    }
  }

  /** @throws Refused if the request is too long, or if all requests together hold too much. */
  private hold(claim: Claim, size: number, more: number): void {
    const { bytesMax } = this.parts.options;
    if (size > bytesMax) throw new Refused(413, `more than ${bytesMax} bytes`);
    claim.bytes += more;
    this.held += more;
    if (this.held > LONG_REQUESTS_MAX * bytesMax) throw tooMany();
  }

  private release(claim: Claim, bytes: number): void {
    claim.bytes -= bytes;
    this.held -= bytes;
  }

  /** One request after another is unpacked and read, so that the others wait as they arrived: packed. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.reading.then(work);
    this.reading = done.catch(() => undefined);
    return done;
  }
}

const tooMany = (): Refused => new Refused(429, 'too many requests are arriving', 1);

function isJson(text: Buffer): boolean {
  try {
    JSON.parse(text.toString());
    return true;
  } catch {
    return false;
  }
}

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
      hint: '`tls` needs two matching PEM files that this process may read',
      permanent: true,
      cause,
    });
  }
}
