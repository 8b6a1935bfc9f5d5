import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { STATUS_HEADER } from './page-routes.js';

/** A request that was answered. It has no header, no key and no query: these may hold secrets and personal data. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly method: string;
  /** The pattern of the route, such as `/state/:step/:key`; empty if there is none. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
}

const GIVEN = /^[\w.:-]{1,64}$/;

/** Ids for requests: that of `x-request-id`, as proxies set it, or one that no other process gives. */
export function requestIds(): (request: { readonly headers: IncomingHttpHeaders }) => string {
  const prefix = randomBytes(4).toString('hex');
  let requests = 0;
  return ({ headers: { 'x-request-id': given } }) => {
    if (typeof given === 'string' && GIVEN.test(given)) return given;
    requests += 1;
    return `${prefix}-${requests}`;
  };
}

/** Sends the id of each request back with its answer, and tells of answers. */
export function tellOfRequests(server: FastifyInstance, onRequest: (request: AnsweredRequest) => void): void {
  server.addHook('onRequest', async ({ id }, reply) => void reply.header('x-request-id', id));
  server.addHook('onResponse', async ({ id, method, routeOptions: { url: route = '' } }, reply) => {
    const status = Number(reply.getHeader(STATUS_HEADER) ?? reply.statusCode);
    onRequest({ requestId: id, method, route, status, ms: Math.round(reply.elapsedTime) });
  });
}
