import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import type { Graph } from './graph.js';

/** The files of the page; nothing of it comes from elsewhere. */
const files = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/dom.js', 'dom.js', 'text/javascript; charset=utf-8'],
  ['/drawer.js', 'drawer.js', 'text/javascript; charset=utf-8'],
  ['/graph.js', 'graph.js', 'text/javascript; charset=utf-8'],
  ['/letters.js', 'letters.js', 'text/javascript; charset=utf-8'],
  ['/lines.js', 'lines.js', 'text/javascript; charset=utf-8'],
  ['/notices.js', 'notices.js', 'text/javascript; charset=utf-8'],
  ['/panels.js', 'panels.js', 'text/javascript; charset=utf-8'],
  ['/record.js', 'record.js', 'text/javascript; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
] as const;

/** Of every answer: the page runs what comes from here and nothing else, and no other page may use an answer. */
export const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** The page sends it, and reads in the other one what an answer's status would be. */
const PAGE_HEADER = 'millrace-page';
export const STATUS_HEADER = 'millrace-status';
/** It cannot be done now, which a user may well meet. */
const EXPECTED: ReadonlySet<number> = new Set([409, 503]);

/** Answers the page with 200 where something cannot be done now: browsers log every answer with another status as an error. */
export function answerPageKindly(server: FastifyInstance): void {
  server.addHook('onSend', async ({ headers }, reply) => {
    if (headers[PAGE_HEADER] !== undefined && EXPECTED.has(reply.statusCode))
      reply.header(STATUS_HEADER, reply.statusCode).code(200);
  });
}

export const TICK_MS = 1_000;
/** A line without content keeps proxies from closing a quiet stream. */
const KEEP_ALIVE_TICKS = 15;
/** How long the end of a run waits for viewers that read slowly. */
const BYE_MS = 500;
/** Four digits are more than a page shows; counts stay whole. */
export const shortNumbers = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;

/** What is told to those who look at one address. */
export interface StreamOptions {
  /** Makes a picture. */
  readonly next: () => unknown;
  readonly viewersMax: number;
  /** Called when the last viewer has left. */
  readonly onQuiet?: () => void;
}

export interface PageOptions {
  readonly graph: Graph;
  /** The picture of the group, and that of this process, which other processes ask for. */
  readonly group: StreamOptions;
  readonly process: StreamOptions;
}

/**
 * Serves the live page: `/`, its scripts and style, the drawing of the topology (`/graph`) and a stream of server-sent events with a
 * picture a second (`/live`, and `/live/process` of this process alone). Pictures are made only while somebody looks, one for all viewers. A viewer that reads too slowly gets the
 * newest one. Returns what ends the streams, with the event `bye`.
 */
export function servePage(server: FastifyInstance, { graph, group, process }: PageOptions): () => Promise<void> {
  const drawing = JSON.stringify(graph);
  for (const [url, name, type] of files) {
    const content = readFileSync(new URL(`page/${name}`, import.meta.url));
    server.get(url, async (_, reply) => reply.type(type).header('cache-control', 'no-cache').send(content));
  }
  server.get('/graph', async (_, reply) => reply.type('application/json').send(drawing));
  const ends = [serveStream(server, '/live', group), serveStream(server, '/live/process', process)];
  return async () => {
    await Promise.all(ends.map((end) => end()));
  };
}

/** One stream of pictures for all who look at it. Returns what ends it. */
function serveStream(
  server: FastifyInstance,
  path: string,
  { next, viewersMax, onQuiet }: StreamOptions,
): () => Promise<void> {
  const viewers = new Set<Viewer>();
  let timer: NodeJS.Timeout | undefined;
  let ticks = 0;
  let last = '';

  const event = (data: string) => `data: ${data}\n\n`;
  const tick = () => {
    last = JSON.stringify(next(), shortNumbers);
    ticks += 1;
    for (const viewer of viewers) if (!viewer.isSlow) viewer.write(event(last));
    if (ticks % KEEP_ALIVE_TICKS === 0) for (const viewer of viewers) viewer.write(':\n\n');
  };
  const leave = (viewer: Viewer) => {
    viewer.destroy();
    viewers.delete(viewer);
    if (viewers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    onQuiet?.();
  };

  server.get(path, (request, reply) => {
    if (viewers.size >= viewersMax) return reply.code(503).send({ error: `${viewersMax} pages look already` });
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...securityHeaders,
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      ...(takesGzip(request.raw) ? { 'content-encoding': 'gzip' } : {}),
    });
    const viewer = viewerOf(request.raw, raw);
    viewer.write('retry: 2000\n\n');
    viewers.add(viewer);
    raw.on('close', () => leave(viewer));
    raw.on('error', () => leave(viewer));
    request.raw.on('error', () => leave(viewer));
    if (timer === undefined) {
      timer = setInterval(tick, TICK_MS);
      timer.unref();
      tick();
    } else viewer.write(event(last));
    return undefined;
  });
  return async () => {
    clearInterval(timer);
    const ends = [...viewers].map((viewer) => viewer.end('event: bye\ndata: \n\n'));
    const isOver = new AbortController();
    const tooLong = pause(BYE_MS, undefined, { signal: isOver.signal }).catch(() => undefined);
    await Promise.race([Promise.all(ends), tooLong]);
    isOver.abort();
  };
}

/** The stream of one viewer. */
interface Viewer {
  /** It has not read what came before. */
  readonly isSlow: boolean;
  write(text: string): void;
  /** Resolves when the text has gone out, or the viewer has. */
  end(text: string): Promise<void>;
  destroy(): void;
}

const takesGzip = ({ headers }: IncomingMessage): boolean => /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));

/** Compressed, a picture of 300 steps and 64 tasks has a seventh of its bytes. Each event is flushed by itself. */
function viewerOf(request: IncomingMessage, response: ServerResponse): Viewer {
  const gzip = takesGzip(request) ? createGzip({ level: 1 }) : undefined;
  gzip?.pipe(response);
  gzip?.on('error', () => response.destroy());
  const to: Writable = gzip ?? response;
  return {
    get isSlow() {
      return to.writableNeedDrain || response.writableNeedDrain;
    },
    write(text) {
      to.write(text);
      gzip?.flush(constants.Z_SYNC_FLUSH);
    },
    end: (text) =>
      new Promise((resolve) => {
        response.once('finish', resolve).once('close', resolve);
        to.end(text);
      }),
    destroy: () => void gzip?.destroy(),
  };
}
