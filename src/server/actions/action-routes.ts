import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '../../core/errors.js';
import { actionRefusal, userOf } from '../../util/http-access.js';
import { printableLine } from '../../util/printable.js';
import { PASSED_ON } from '../group/pass-on.js';
import type { DeadLetterDesk, LetterSelection, Replay } from './dead-letter-desk.js';
import type { Caller, RunControl } from './run-control.js';

/** What the page may do besides showing figures. */
export interface Actions {
  /** Whether requests may change something. */
  readonly isAllowed: boolean;
  /** Missing where dead letters go to no topic. */
  readonly deadLetters?: DeadLetterDesk | undefined;
  readonly control: RunControl;
}

/** What the page is told of actions, with each picture. */
export interface ActionFigures {
  readonly isAllowed: boolean;
  readonly hasDeadLetters: boolean;
  /** Whether single records can be looked for. */
  readonly hasRecords: boolean;
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
const nothing = { type: 'object', additionalProperties: false } as const;
const stopping = {
  type: 'object',
  additionalProperties: false,
  properties: { group: { type: 'boolean' } },
} as const;
const savepoint = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: { name: text },
} as const;
const replayId = { type: 'object', required: ['id'], additionalProperties: false, properties: { id: text } } as const;

/**
 * Adds `/dead-letters` (GET: the newest ones) and what changes something, by POST alone: `/replays` counts what a replay would send,
 * `/replays/send` sends what was counted, `/replays/stop` ends that. `/pause`, `/resume` and `/savepoints` act on all processes of the group,
 * `/stop` on this one or on all. Actions that are not allowed are answered with 403.
 */
export function serveActions(server: FastifyInstance, { isAllowed, deadLetters, control }: Actions): void {
  const onRequest = async ({ headers }: FastifyRequest, reply: FastifyReply) => {
    const refusal = actionRefusal(headers);
    if (refusal) return reply.code(refusal.status).send({ error: refusal.message });
    if (isAllowed) return;
    return reply.code(403).send({ error: 'actions are not allowed', hint: 'start the run with --allow-actions' });
  };
  const action = (body: object) => ({ onRequest, schema: { body }, bodyLimit: 64 * 1024 });
  server.post('/pause', action(nothing), (request) => control.pause(groupCallerOf(request)));
  server.post('/resume', action(nothing), (request) => control.resume(groupCallerOf(request)));
  server.post<{ Body: { group?: boolean } }>('/stop', action(stopping), (request) => {
    const { by, alone } = groupCallerOf(request);
    return control.stop({ by, alone: alone || !request.body.group });
  });
  server.post<{ Body: { name: string } }>('/savepoints', action(savepoint), (request, reply) =>
    answered(reply, () => control.savepoint(request.body.name, callerOf(request))),
  );
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

/** An address, a name where the request gives one, and the request's id; anybody with the token may give any name. */
export function callerOf({ headers, ip, id }: FastifyRequest): string {
  const user = userOf(headers);
  return `${user === undefined ? '' : `${JSON.stringify(user)} at `}${ip} (request ${id})`;
}

/** A process that passes an action on names who asked it. */
function groupCallerOf(request: FastifyRequest): Caller {
  const by = callerOf(request);
  const first = request.headers[PASSED_ON];
  if (typeof first !== 'string') return { by, alone: false };
  return { by: `${printableLine(decoded(first))} by way of ${by}`, alone: true };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody else wrote it
  }
}

/** Answers with what an action gives; with 409 and a hint where it cannot be done now. */
export async function answered(reply: FastifyReply, action: () => unknown): Promise<FastifyReply> {
  try {
    return reply.header('cache-control', 'no-store').send(await action());
  } catch (error) {
    if (!(error instanceof MillraceError && error.code === 'config')) throw error;
    return reply.code(409).send({ error: error.message, hint: error.hint });
  }
}
