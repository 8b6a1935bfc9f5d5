import { createHash, getFips } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsClient } from 'aws4fetch';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import { backOffMs, type RetryOptions, retry } from '../../src/util/retry.js';
import { ResponseTimeout } from './response-timeout.js';

export interface S3Options {
  /** `https://KEY:SECRET@host:9000/?region=eu-central-1`; key and secret from AWS's variables where they are not in it. */
  readonly url: string;
  /** Tries of one request in all; 8 by default. */
  readonly attemptsMax?: number;
  /** How long the store may say nothing, in milliseconds; 60 s by default. */
  readonly timeoutMs?: number;
}

export interface ObjectState {
  readonly size: number;
  readonly mark: string;
  readonly writtenMs: number;
}

/** A request that a store answered with no. */
class Answered extends Error {
  /** Such as `NoSuchKey`. */
  readonly code: string;

  constructor(
    readonly status: number,
    text: string,
  ) {
    const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? '';
    super(`status ${status} ${code}`.trim());
    this.code = code;
  }
}

interface Range {
  readonly start: number;
  /** Behind the last byte; to the end of the object where it is missing. */
  readonly end?: number;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: Uint8Array;
  /** Of a part: the store is held to the tag that it answers with when the upload is complete, so the body needs no digest. */
  readonly isTagged?: boolean;
  readonly range?: Range;
  /** Of the object that is meant: another one in its place is an error. */
  readonly mark?: string;
}

interface Begun {
  readonly response: Response;
  readonly patience: ResponseTimeout;
}

const isPassing = (status: number): boolean => (status >= 500 && status !== 501) || status === 429 || status === 408;

const mayPass = (error: unknown): boolean => !(error instanceof Answered) || isPassing(error.status);
/** S3Proxy does not find its way among the parts of an upload while somebody else's comes. */
const mayPassAtEnd = (error: unknown): boolean => mayPass(error) || (error instanceof Answered && error.status === 400);

/** What the store said no with: status 0 where it did not answer. */
export function answerOf(error: unknown): { readonly status: number; readonly code: string } {
  const cause = error instanceof MillraceError ? error.cause : error;
  return cause instanceof Answered ? cause : { status: 0, code: '' };
}

const keyHint = 'key and secret stand in the URL, or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
const hints: Readonly<Record<number, string>> = {
  401: keyHint,
  403: keyHint,
  412: 'it was replaced while it was read: write what changes under another key',
  416: 'the store must answer ranges of objects, as S3 does',
};

/** The requests to a store that are needed here; each may be repeated. Paths are `BUCKET/KEY`. */
export class Buckets {
  private client: Promise<AwsClient> | undefined;
  readonly where: string;
  private readonly endpoint: URL;
  private readonly retrying: RetryOptions;

  constructor(
    private readonly options: S3Options,
    /** What it is needed for, as errors have it. */
    private readonly use: 'source' | 'sink' = 'sink',
  ) {
    try {
      this.endpoint = new URL(options.url);
    } catch {
      // Without the cause, which has the whole address.
      const hint = 'it looks like https://KEY:SECRET@host/?region=eu-central-1';
      throw new MillraceError('config', 'the address of the object store is no URL', { hint });
    }
    this.where = this.endpoint.origin;
    const { attemptsMax = 8 } = options;
    this.retrying = { retriable: mayPass, attemptsMax, waitMs: 50, waitMaxMs: 5_000, sleep, random: Math.random };
  }

  async put(path: string, body: Uint8Array): Promise<void> {
    await this.ask({ method: 'PUT', path, body });
  }

  /**
   * The body of an object from a byte on, as it comes. Where it breaks off it is taken up again, as long as it is that very
   * object.
   */
  async *stream(path: string, start = 0): AsyncGenerator<Uint8Array> {
    let at = start;
    let mark: string | undefined;
    for (let failures = 0; ; ) {
      const rest = at > 0 ? { range: { start: at } } : {};
      try {
        const { response, patience } = await this.begin({ method: 'GET', path, ...rest, ...(mark ? { mark } : {}) });
        mark ??= response.headers.get('etag') ?? undefined;
        for await (const piece of patience.piecesOf(response)) {
          at += piece.length;
          failures = 0;
          yield piece;
        }
        return;
      } catch (error) {
        failures += 1;
        if (failures >= this.retrying.attemptsMax || !mayPass(error)) throw this.error(`cannot GET ${path}`, error);
        await sleep(backOffMs(failures, this.retrying));
      }
    }
  }

  /** The body of an object, or some of its bytes, as a whole; with `mark` only while it is that very object. */
  async bytes(path: string, range?: Range & { readonly mark: string }): Promise<Uint8Array<ArrayBuffer>> {
    const asked = { method: 'GET', path, ...(range === undefined ? {} : { range, mark: range.mark }) };
    return this.ask(asked, async (response) => new Uint8Array(await response.arrayBuffer()));
  }

  async head(path: string): Promise<ObjectState | undefined> {
    try {
      const { headers } = await this.ask({ method: 'HEAD', path });
      return {
        size: Number(headers.get('content-length')),
        mark: headers.get('etag') ?? '',
        writtenMs: Date.parse(headers.get('last-modified') ?? '') || 0,
      };
    } catch (error) {
      if (answerOf(error).status === 404) return undefined;
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await this.ask({ method: 'DELETE', path });
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
      const text = await this.ask({ method: 'GET', path: bucket, query: `?${query}` }, textOf);
      for (const [, key = ''] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) {
        found.push(`${bucket}/${decodeURIComponent(plain(key).replaceAll('+', ' '))}`);
      }
      token = plain(/<NextContinuationToken>([^<]*)</.exec(text)?.[1] ?? '');
      if (token === '') return found.sort();
    }
  }

  /** Asks for work that is answered with 200 before it is done, and may turn out to be an error; what the answer says. */
  async completed(request: Request): Promise<string> {
    const read = async (response: Response): Promise<string> => {
      const text = await response.text();
      if (text.includes('<Error>')) throw new Answered(500, text);
      return text;
    };
    return this.ask(request, read, mayPassAtEnd);
  }

  /** Asks until there is an answer that `read` has read to its end. */
  ask(request: Request): Promise<Response>;
  ask<T>(request: Request, read: (response: Response) => Promise<T>, retriable?: typeof mayPass): Promise<T>;
  async ask<T>(
    request: Request,
    read?: (response: Response) => Promise<T>,
    retriable = mayPass,
  ): Promise<T | Response> {
    const once = async (): Promise<T | Response> => {
      const { response, patience } = await this.begin(request);
      return read === undefined ? response : patience.during(read(response));
    };
    try {
      return await retry(once, { ...this.retrying, retriable });
    } catch (error) {
      throw this.error(`cannot ${request.method} ${request.path}`, error);
    }
  }

  /** One try, up to where a good answer begins. */
  private async begin({ method, path, query = '', body, isTagged, range, mark }: Request): Promise<Begun> {
    const address = `${this.endpoint.origin}${addressOf(path)}${query}`;
    this.client ??= this.connect();
    const client = await this.client;
    const headers = {
      ...(range === undefined ? {} : { range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` }),
      ...(mark === undefined ? {} : { 'if-match': mark }),
      ...(body === undefined || isTagged ? {} : digestOf(body)),
    };
    const patience = new ResponseTimeout(this.options.timeoutMs ?? 60_000);
    const init = { method, headers, ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }) };
    const signed = await client.sign(address, init);
    const response = await patience.during(fetch(signed, { signal: patience.signal }));
    if (!response.ok) throw new Answered(response.status, await patience.during(response.text()));
    if (range !== undefined && response.status !== 206) throw new Answered(416, 'it gave all of it');
    return { response, patience };
  }

  private error(doing: string, error: unknown): MillraceError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const status = error instanceof Answered ? error.status : 0;
    return new MillraceError(this.use, `${doing}: ${messageOf(cause)}`, {
      where: this.where,
      hint: hints[status] ?? 'is the store up, and the bucket there?',
      permanent: status >= 400 && !isPassing(status),
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

/** Below the endpoint. */
const addressOf = (path: string): string => `/${path.split('/').map(encodeURIComponent).join('/')}`;

/**
 * Signed with the request: without it a store may keep the half of a body whose connection broke, over what a later try put.
 * Stores make the MD5 of every object anyway, so it is the one that costs them least; where it is not allowed to be used, SHA-256.
 */
const digestOf = (body: Uint8Array): Record<string, string> =>
  getFips() === 1
    ? { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') }
    : { 'content-md5': createHash('md5').update(body).digest('base64') };

export const textOf = (response: Response): Promise<string> => response.text();

export const plain = (xml: string): string =>
  xml
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
