import type { FastifyInstance } from 'fastify';
import { askOthers, type GroupIdentity } from './group/pass-on.js';
import { type History, mergedHistory, type SeenHistory, type Span, spanNames } from './history.js';
import { shortNumbers } from './page-routes.js';

const querystring = {
  type: 'object',
  additionalProperties: false,
  required: ['span'],
  properties: { span: { type: 'string', enum: spanNames } },
} as const;
interface Query {
  readonly Querystring: { readonly span: Span };
}

/**
 * Adds `/history` of the group and `/history/process` of this process, which other processes ask for. A process that does not answer is left
 * out: the page names it anyway.
 */
export function serveHistory(server: FastifyInstance, history: History, group: GroupIdentity): void {
  const send = (values: SeenHistory) => JSON.stringify(values, shortNumbers);
  server.get<Query>('/history/process', { schema: { querystring } }, async ({ query: { span } }, reply) =>
    reply.type('application/json').send(send(history.read(span))),
  );
  server.get<Query>('/history', { schema: { querystring } }, async ({ query: { span } }, reply) => {
    const { answers } = await askOthers<SeenHistory>(group, `/history/process?span=${span}`);
    const heard = answers.flatMap((answer) => answer ?? []);
    return reply.type('application/json').send(send(mergedHistory(history.read(span), heard)));
  });
}
