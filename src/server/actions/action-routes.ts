import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '../../core/errors.js';
import { actionRefusal, userOf } from '../../util/http-access.js';
import type { DeadLetterDesk, LetterSelection, Replay } from './dead-letter-desk.js';

/** What the page may do besides showing figures. */
export interface Actions {
  /** Whether requests may change something. */
  readonly isAllowed: boolean;
  /** Missing where dead letters go to no topic. */
  readonly deadLetters?: DeadLetterDesk | undefined;
  /** Begins to drain and end the run of this process. */
  stop(by: string): void;
}

/** What the page is told of actions, with each picture. */
export interface ActionFigures {
  readonly isAllowed: boolean;
  readonly hasDeadLetters: boolean;
  readonly replays: readonly Replay[];
}

const text = { type: 'string', maxLength: 300 } as const;
const selection = {
  type: 'object',
  additionalProperties: false,
  properties: {
    reason: text,
    step: text,
    again: { type: 'boolean' },
    places: { type: 'array', maxItems: 1_000, items: { type: 'string', pattern: '^\\d{1,9}/\\d{1,16}$' } },
  },
} as const;
const replayId = { type: 'object', required: ['id'], additionalProperties: false, properties: { id: text } } as const;

/**
 * Adds `/dead-letters` (GET: the newest ones) and what changes something, by POST alone: `/replays` counts what a replay would send,
 * `/replays/send` sends what was counted, `/replays/stop` ends that, `/stop` ends the run. Actions that are not allowed are answered with 403.
 */
export function serveActions(server: FastifyInstance, { isAllowed, deadLetters, stop }: Actions): void {
  const onRequest = async ({ headers }: FastifyRequest, reply: FastifyReply) => {
    const refusal = actionRefusal(headers);
    if (refusal) return reply.code(refusal.status).send({ error: refusal.message });
    if (isAllowed) return;
    return reply.code(403).send({ error: 'actions are not allowed', hint: 'start the run with --allow-actions' });
  };
  const action = (body: object) => ({ onRequest, schema: { body }, bodyLimit: 64 * 1024 });
  server.post('/stop', action({ type: 'object', additionalProperties: false }), async (request) => {
    stop(callerOf(request));
    return { stopping: true };
  });
  if (!deadLetters) return;
  server.get<{ Querystring: LetterSelection }>(
    '/dead-letters',
    { schema: { querystring: selection } },
    (request, reply) => answered(reply, () => deadLetters.look(request.query, callerOf(request))),
  );
  server.post<{ Body: LetterSelection }>('/replays', action(selection), (request, reply) =>
    answered(reply, () => deadLetters.count(request.body, callerOf(request))),
  );
  server.post<{ Body: { id: string } }>('/replays/send', action(replayId), (request, reply) =>
    answered(reply, () => deadLetters.send(request.body.id, callerOf(request))),
  );
  server.post<{ Body: { id: string } }>('/replays/stop', action(replayId), (request, reply) =>
    answered(reply, () => deadLetters.stop(request.body.id, callerOf(request))),
  );
}

/** An address, and a name where the request gives one; anybody with the token may give any name. */
function callerOf({ headers, ip }: FastifyRequest): string {
  const user = userOf(headers);
  return user === undefined ? ip : `${JSON.stringify(user)} at ${ip}`;
}

async function answered(reply: FastifyReply, action: () => unknown): Promise<FastifyReply> {
  try {
    return reply.header('cache-control', 'no-store').send(await action());
  } catch (error) {
    if (!(error instanceof MillraceError && error.code === 'config')) throw error;
    return reply.code(409).send({ error: error.message, hint: error.hint });
  }
}
