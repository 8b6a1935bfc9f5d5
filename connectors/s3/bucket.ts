import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsClient } from 'aws4fetch';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import { retry } from '../../src/core/retry.js';

export interface S3Options {
  /** `https://KEY:SECRET@host:9000/?region=eu-central-1`; key and secret from AWS's variables where they are not in it. */
  readonly url: string;
  /** Tries of one request in all; 8 by default. */
  readonly attemptsMax?: number;
  /** How long the store may take until it begins to answer, in milliseconds; 60 s by default. */
  readonly timeoutMs?: number;
}

export interface ObjectState {
  readonly size: number;
  readonly mark: string;
  readonly writtenMs: number;
}

/** A request that a store answered with no. */
class Answered extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(`status ${status} ${/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? ''}`.trim());
  }
}

/** The requests to a store that are needed here; each may be repeated. Paths are `BUCKET/KEY`. */
export class Buckets {
  private client: Promise<AwsClient> | undefined;
  readonly where: string;
  private readonly endpoint: URL;

  constructor(
    private readonly options: S3Options,
    /** What it is needed for, as errors have it. */
    private readonly use: 'source' | 'sink' = 'sink',
  ) {
    try {
      this.endpoint = new URL(options.url);
    } catch (cause) {
      const hint = 'it looks like https://KEY:SECRET@host/?region=eu-central-1';
      throw new MillraceError('config', 'the address of the object store is no URL', { hint, cause });
    }
    this.where = this.endpoint.origin;
  }

  async put(path: string, body: Uint8Array): Promise<void> {
    await this.ask('PUT', path, '', body);
  }

  async get(path: string, start = 0): Promise<Response> {
    return this.ask('GET', path, '', undefined, start > 0 ? { range: `bytes=${start}-` } : {});
  }

  async head(path: string): Promise<ObjectState | undefined> {
    try {
      const { headers } = await this.ask('HEAD', path);
      return {
        size: Number(headers.get('content-length')),
        mark: headers.get('etag') ?? '',
        writtenMs: Date.parse(headers.get('last-modified') ?? '') || 0,
      };
    } catch (error) {
      if (error instanceof MillraceError && error.cause instanceof Answered && error.cause.status === 404)
        return undefined;
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await this.ask('DELETE', path);
  }

  /** Whether it answers at all, whatever it says. */
  async ping(): Promise<void> {
    const response = await fetch(this.endpoint.origin, { method: 'HEAD', signal: AbortSignal.timeout(5_000) });
    if (response.status >= 500) throw this.error('cannot reach it', new Answered(response.status, ''));
  }

  /** The paths that begin so, in order. Memory: the paths. */
  async list(path: string): Promise<readonly string[]> {
    const [bucket = '', ...prefix] = path.split('/');
    const found: string[] = [];
    for (let token = ''; ; ) {
      const query = new URLSearchParams({ 'list-type': '2', prefix: prefix.join('/'), 'encoding-type': 'url' });
      if (token !== '') query.set('continuation-token', token);
      const text = await (await this.ask('GET', bucket, `?${query}`)).text();
      for (const [, key = ''] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) {
        found.push(`${bucket}/${decodeURIComponent(plain(key).replaceAll('+', ' '))}`);
      }
      token = plain(/<NextContinuationToken>([^<]*)</.exec(text)?.[1] ?? '');
      if (token === '') return found.sort();
    }
  }

  /** Puts parts together under a key that shows them all at once; what failed half-way is taken back. */
  async putParts(path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    const begun = await (await this.ask('POST', path, '?uploads=')).text();
    const id = encodeURIComponent(plain(/<UploadId>([^<]*)</.exec(begun)?.[1] ?? ''));
    try {
      const tags: string[] = [];
      for await (const part of parts) {
        const { headers } = await this.ask('PUT', path, `?partNumber=${tags.length + 1}&uploadId=${id}`, part);
        tags.push(headers.get('etag') ?? '');
      }
      const xml = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`).join('');
      const body = Buffer.from(`<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`);
      const answer = await (await this.ask('POST', path, `?uploadId=${id}`, body)).text();
      // The answer begins with 200 before the work is done, and may turn out to be an error.
      if (answer.includes('<Error>')) throw this.error(`cannot complete ${path}`, new Answered(500, answer));
    } catch (error) {
      await this.ask('DELETE', path, `?uploadId=${id}`).catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  private async ask(
    method: string,
    path: string,
    query = '',
    body?: Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const address = `${this.endpoint.origin}/${path.split('/').map(encodeURIComponent).join('/')}${query}`;
    const { attemptsMax = 8, timeoutMs = 60_000 } = this.options;
    this.client ??= this.connect();
    const client = await this.client;
    const once = async (): Promise<Response> => {
      const init = { method, headers, ...(body === undefined ? {} : { body: Buffer.from(body) }) };
      // Of the beginning alone: who reads an object takes as long as what is done with its rows.
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const response = await client.fetch(address, { ...init, signal: late.signal }).finally(() => clearTimeout(timer));
      if (response.ok) return response;
      throw new Answered(response.status, await response.text());
    };
    const retriable = (error: unknown) =>
      !(error instanceof Answered) || error.status >= 500 || error.status === 429 || error.status === 408;
    try {
      return await retry(once, { retriable, attemptsMax, waitMs: 50, waitMaxMs: 5_000, sleep, random: Math.random });
    } catch (error) {
      throw this.error(`cannot ${method} ${path}`, error);
    }
  }

  private error(doing: string, error: unknown): MillraceError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const status = error instanceof Answered ? error.status : 0;
    return new MillraceError(this.use, `${doing}: ${messageOf(cause)}`, {
      where: this.where,
      hint:
        status === 403 || status === 401 ? 'key and secret stand in the URL' : 'is the store up, and the bucket there?',
      lasting: status >= 400 && status < 500 && status !== 408 && status !== 429,
      cause: error,
    });
  }

  private async connect(): Promise<AwsClient> {
    const { AwsClient: Client } = await import('aws4fetch');
    const { username, password, searchParams } = this.endpoint;
    const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_SESSION_TOKEN } = process.env;
    const isGiven = username !== '';
    return new Client({
      accessKeyId: isGiven ? decodeURIComponent(username) : AWS_ACCESS_KEY_ID,
      secretAccessKey: isGiven ? decodeURIComponent(password) : AWS_SECRET_ACCESS_KEY,
      ...(isGiven || AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
      service: 's3',
      region: searchParams.get('region') ?? 'us-east-1',
      retries: 0,
    });
  }
}

const plain = (xml: string): string =>
  xml
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
