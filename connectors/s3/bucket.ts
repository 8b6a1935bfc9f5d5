import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3 } from '@aws-sdk/client-s3';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import { backOffMs, type RetryOptions, requestBackOff, retry } from '../../src/util/retry.js';
import { digestOf, openClient } from './client.js';
import { ResponseTimeout } from './response-timeout.js';

export interface S3Options {
  /** `https://KEY:SECRET@host:9000/?region=eu-central-1`; without key and secret, the AWS SDK looks for credentials. */
  readonly url: string;
  /** Tries of one request in all; 8 by default. */
  readonly attemptsMax?: number;
  /** How long the store may send nothing, in milliseconds; 60 s by default. */
  readonly timeoutMs?: number;
}

export interface ObjectState {
  readonly size: number;
  readonly mark: string;
  readonly writtenMs: number;
}

/** An error that the store answered. */
class Answered extends Error {
  constructor(
    readonly status: number,
    /** Such as `NoSuchKey`. */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`status ${status} ${code}`.trim(), options);
  }
}

/** Converts an SDK error to the store's answer, if there was one. */
function answered(error: unknown): unknown {
  const { $metadata, $response, name } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly $response?: { readonly statusCode?: number };
    readonly name?: string;
  };
  const status = $metadata?.httpStatusCode ?? $response?.statusCode ?? 0;
  return status < 300 ? error : new Answered(status, name ?? '', { cause: error });
}

interface Range {
  readonly start: number;
  /** Exclusive; the end of the object if missing. */
  readonly end?: number;
}

/** A response whose body is being read. */
interface Begun {
  readonly body: Readable;
  readonly mark: string | undefined;
  readonly timeout: ResponseTimeout;
}

/** A part of an upload. */
export interface Part {
  readonly n: number;
  /** The tag that the store returned for it. */
  readonly tag: string;
}

const isPassing = (status: number): boolean => (status >= 500 && status !== 501) || status === 429 || status === 408;

const mayPass = (error: unknown): boolean =>
  error instanceof Answered ? isPassing(error.status) : !(error instanceof MillraceError);
/** S3Proxy may fail to complete an upload while another part of it arrives. */
const mayPassAtEnd = (error: unknown): boolean => mayPass(error) || (error instanceof Answered && error.status === 400);

/** The store's error; status 0 if it did not answer. */
export function answerOf(error: unknown): { readonly status: number; readonly code: string } {
  const cause = error instanceof MillraceError ? error.cause : error;
  return cause instanceof Answered ? cause : { status: 0, code: '' };
}

const keyHint =
  'put key and secret into the URL, or where the AWS SDK looks for them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
const regionHint = 'the bucket is elsewhere: name its host and region, ?region=eu-central-1';
const hints: Readonly<Record<number, string>> = {
  301: regionHint,
  307: regionHint,
  401: keyHint,
  403: keyHint,
  412: 'it was replaced while it was read: write what changes under another key',
  416: 'the store must answer ranges of objects, as S3 does',
};

/** The required requests to a store; each may be repeated. Paths are `BUCKET/KEY`. */
export class Buckets {
  private client: Promise<S3> | undefined;
  readonly where: string;
  private readonly endpoint: URL;
  private readonly timeoutMs: number;
  private readonly retrying: RetryOptions & { readonly attemptsMax: number };

  constructor(
    options: S3Options,
    /** The error code of its errors. */
    private readonly use: 'source' | 'sink' = 'sink',
  ) {
    try {
      this.endpoint = new URL(options.url);
    } catch {
      // Without the cause, which contains the whole address.
      const hint = 'for example https://KEY:SECRET@host/?region=eu-central-1';
      throw new MillraceError('config', 'the address of the object store is not a URL', { hint });
    }
    this.where = this.endpoint.origin;
    const { attemptsMax = 8, timeoutMs = 60_000 } = options;
    this.timeoutMs = timeoutMs;
    this.retrying = { ...requestBackOff, retriable: mayPass, attemptsMax };
  }

  async put(path: string, body: Uint8Array): Promise<void> {
    await this.ask(`PUT ${path}`, (s3, till) =>
      s3.putObject({ ...placeOf(path), Body: body, ...digestOf(body) }, till),
    );
  }

  /** The body of an object from a byte on, as a stream. If it breaks off it is resumed, as long as the object is the same. */
  async *stream(path: string, start = 0): AsyncGenerator<Uint8Array> {
    let at = start;
    let mark: string | undefined;
    for (let failures = 0; ; ) {
      try {
        const begun = await this.begin(path, at > 0 ? { start: at } : undefined, mark);
        mark ??= begun.mark;
        for await (const piece of begun.timeout.piecesOf(begun.body)) {
          at += piece.length;
          failures = 0;
          yield piece;
        }
        return;
      } catch (error) {
        failures += 1;
        if (failures >= this.retrying.attemptsMax || !mayPass(error)) throw this.error(`GET ${path}`, error);
        await sleep(backOffMs(failures, this.retrying, Math.random));
      }
    }
  }

  /** The body of an object, or a range of it; with `mark` only while the object is the same. */
  bytes(path: string, range?: Range & { readonly mark: string }): Promise<Uint8Array<ArrayBuffer>> {
    return this.attempt(`GET ${path}`, async () => {
      const { body, timeout } = await this.begin(path, range, range?.mark);
      const pieces: Uint8Array[] = [];
      for await (const piece of timeout.piecesOf(body)) pieces.push(piece);
      return Buffer.concat(pieces);
    });
  }

  async head(path: string): Promise<ObjectState | undefined> {
    try {
      const { ContentLength, ETag, LastModified } = await this.ask(`HEAD ${path}`, (s3, till) =>
        s3.headObject(placeOf(path), till),
      );
      return { size: ContentLength ?? 0, mark: ETag ?? '', writtenMs: LastModified?.getTime() || 0 };
    } catch (error) {
      if (answerOf(error).status === 404) return undefined;
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await this.ask(`DELETE ${path}`, (s3, till) => s3.deleteObject(placeOf(path), till));
  }

  /** Checks whether the store answers at all, with any status. */
  async ping(): Promise<void> {
    const signal = AbortSignal.timeout(5_000);
    const { status } = await fetch(this.endpoint.origin, { method: 'HEAD', redirect: 'manual', signal });
    if (status >= 500) throw this.error('reach it', new Answered(status, ''));
  }

  /** The paths with a prefix, in order. Memory: the paths. */
  async list(path: string): Promise<readonly string[]> {
    const { Bucket, Key: Prefix } = placeOf(path);
    const found: string[] = [];
    for (let token: string | undefined; ; ) {
      // Keys are URL-encoded, because XML cannot contain some characters.
      const asked = { Bucket, Prefix, EncodingType: 'url', ContinuationToken: token } as const;
      const { Contents = [], NextContinuationToken } = await this.ask(`list ${path}`, (s3, till) =>
        s3.listObjectsV2(asked, till),
      );
      for (const { Key = '' } of Contents) found.push(`${Bucket}/${decodeURIComponent(Key.replaceAll('+', ' '))}`);
      token = NextContinuationToken;
      if (!token) return found.sort();
    }
  }

  /** Begins a multipart upload of an object; resolves with its id. */
  async beginUpload(path: string): Promise<string> {
    const { UploadId } = await this.ask(`POST ${path}`, (s3, till) => s3.createMultipartUpload(placeOf(path), till));
    return UploadId ?? '';
  }

  async putPart(path: string, id: string, n: number, body: Uint8Array): Promise<Part> {
    const part = { ...placeOf(path), UploadId: id, PartNumber: n, Body: body };
    const { ETag } = await this.ask(`PUT ${path}`, (s3, till) => s3.uploadPart(part, till));
    return { n, tag: ETag ?? '' };
  }

  /** Completes an upload. A store may answer with 200 before it is done, and with an error in the body. */
  async completeUpload(path: string, id: string, parts: readonly Part[]): Promise<void> {
    const Parts = parts.map(({ n, tag }) => ({ PartNumber: n, ETag: tag }));
    const upload = { ...placeOf(path), UploadId: id, MultipartUpload: { Parts } };
    await this.ask(`POST ${path}`, (s3, till) => s3.completeMultipartUpload(upload, till), mayPassAtEnd);
  }

  async abortUpload(path: string, id: string): Promise<void> {
    await this.ask(`DELETE ${path}`, (s3, till) => s3.abortMultipartUpload({ ...placeOf(path), UploadId: id }, till));
  }

  /** Retries until there is an answer. */
  private ask<T>(
    doing: string,
    request: (s3: S3, till: { readonly abortSignal: AbortSignal }) => Promise<T>,
    retriable = mayPass,
  ): Promise<T> {
    return this.attempt(doing, () => this.once(new ResponseTimeout(this.timeoutMs), request), retriable);
  }

  private async attempt<T>(doing: string, work: () => Promise<T>, retriable = mayPass): Promise<T> {
    try {
      return await retry(work, { ...this.retrying, retriable });
    } catch (error) {
      throw this.error(doing, error);
    }
  }

  /** One try, until a successful response begins. */
  private async begin(path: string, range?: Range, mark?: string): Promise<Begun> {
    const timeout = new ResponseTimeout(this.timeoutMs);
    const asked = {
      ...placeOf(path),
      ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` }),
      ...(mark === undefined ? {} : { IfMatch: mark }),
    };
    const { Body, ETag, $metadata } = await this.once(timeout, (s3, till) => s3.getObject(asked, till));
    const body = Body as Readable;
    if (range !== undefined && $metadata.httpStatusCode !== 206) {
      body.destroy();
      throw new Answered(416, 'it gave all of it');
    }
    return { body, mark: ETag, timeout };
  }

  private async once<T>(
    timeout: ResponseTimeout,
    request: (s3: S3, till: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    this.client ??= openClient(this.endpoint);
    const s3 = await this.client;
    try {
      return await timeout.during(request(s3, { abortSignal: timeout.signal }));
    } catch (error) {
      throw answered(error);
    }
  }

  private error(doing: string, error: unknown): MillraceError {
    if (error instanceof MillraceError) return error;
    const status = error instanceof Answered ? error.status : 0;
    // Retried before, like other errors: a role's credential service may be unavailable for a moment.
    const hasNoKey = error instanceof Error && error.name === 'CredentialsProviderError';
    return new MillraceError(this.use, `cannot ${doing}: ${messageOf(error)}`, {
      where: this.where,
      hint: hasNoKey ? keyHint : (hints[status] ?? 'check that the store is up and the bucket exists'),
      permanent: hasNoKey || (status > 0 && !isPassing(status)),
      cause: error,
    });
  }
}

function placeOf(path: string): { readonly Bucket: string; readonly Key: string } {
  const [Bucket = '', ...key] = path.split('/');
  return { Bucket, Key: key.join('/') };
}
