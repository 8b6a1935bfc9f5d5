import * as http from 'node:http';
import * as https from 'node:https';
import type { Encoded, HttpAnswer } from './protocol.js';

/** Why there is no answer: the server cannot be reached, is too slow, cuts the connection, or says that it is not able to. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** An answer that is larger than it may be. Asked again, the server would say the same. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

export interface HttpClientOptions {
  readonly url: URL;
  readonly token: string | undefined;
  /** How long a whole answer may take from when the request gets a connection, in milliseconds. */
  readonly timeoutMs: number;
  /** Connections that are kept open. */
  readonly connectionsMax: number;
}

export interface AnswerLimits {
  /** Larger answers are cut off. */
  readonly bytesMax: number;
  /** How long the answer may take from now on, the wait for a connection included, where that is less than otherwise. */
  readonly withinMs?: number | undefined;
}

export interface HttpClient {
  get(path: string): Promise<HttpAnswer>;
  post(path: string, body: Encoded, limits: AnswerLimits): Promise<HttpAnswer>;
  close(): void;
}

/** Metadata are small. */
const METADATA_BYTES_MAX = 4 * 2 ** 20;
const JSON_BYTES = 'inference-header-content-length';

/**
 * Requests to an inference server over kept connections.
 *
 * Throws `Unavailable` where no whole answer came in time, and `TooLarge`.
 *
 * Memory: for each request its answer, up to `bytesMax`.
 */
export function httpClient({ url, token, timeoutMs, connectionsMax }: HttpClientOptions): HttpClient {
  const { Agent, request } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax, noDelay: true });

  const ask = (path: string, method: string, { parts, jsonBytes }: Encoded, limits: AnswerLimits) =>
    new Promise<HttpAnswer>((resolve, reject) => {
      const { bytesMax, withinMs } = limits;
      const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
      const headers = {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(length > 0 && {
          'Content-Type': jsonBytes === undefined ? 'application/json' : 'application/octet-stream',
        }),
        ...(length > 0 && { 'Content-Length': length }),
        ...(jsonBytes !== undefined && { 'Inference-Header-Content-Length': jsonBytes }),
      };
      const asked = request({
        ...{ method, path, agent, headers },
        ...{ protocol: url.protocol, host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port },
      });
      const giveUp = (why: Error) => {
        clearTimeout(limit);
        reject(why);
        asked.destroy();
      };
      const fail = (why: string) => giveUp(new Unavailable(why));
      let limit: NodeJS.Timeout | undefined;
      const limitTo = (ms: number) => {
        limit = setTimeout(() => fail(`no answer within ${ms / 1_000} s`), ms);
      };
      if (withinMs === undefined) asked.on('socket', () => limitTo(timeoutMs));
      else limitTo(Math.min(timeoutMs, withinMs));
      asked.on('error', (cause) => fail(cause.message || `${(cause as NodeJS.ErrnoException).code}`));
      asked.on('response', (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > bytesMax) giveUp(new TooLarge(`the answer is larger than ${bytesMax} bytes`));
        });
        response.on('aborted', () => fail('the connection was cut'));
        response.on('end', () => {
          clearTimeout(limit);
          if (!response.complete) return fail('the connection was cut');
          const said = Number(response.headers[JSON_BYTES]);
          resolve({
            status: response.statusCode ?? 0,
            jsonBytes: Number.isSafeInteger(said) && said >= 0 && said <= bytes ? said : undefined,
            body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
          });
        });
      });
      asked.cork();
      for (const part of parts) asked.write(part);
      asked.end();
      asked.uncork();
    });

  return {
    get: (path) => ask(path, 'GET', { parts: [], jsonBytes: undefined }, { bytesMax: METADATA_BYTES_MAX }),
    post: (path, body, limits) => ask(path, 'POST', body, limits),
    close: () => agent.destroy(),
  };
}
