import { ingestSource } from './ingest.js';
import { getLookup, postLookup } from './lookup.js';
import { pollSource } from './poll.js';
import { webhookSink } from './webhook.js';

export type { IngestOptions } from './ingest.js';
export type { HttpGetOptions, HttpPostOptions } from './lookup.js';
export type { PollOptions } from './poll.js';
export type { WebhookOptions } from './webhook.js';

/**
 * Services to read from, to write to and to look things up in: inert data, read by the profile that runs the topology; the same on
 * every profile.
 *
 * Of what a service says to a lookup: 2xx is an answer, 404 and 410 (of a `get`), and 204, that there is none. 408, 425, 429 and 5xx are
 * tried again, after `Retry-After` where it is given. 401 and 403 stop the run, as 404 and 405 of a `post` do. Everything else,
 * redirects and answers that cannot be read included, is a refusal of the key; of a `post` of several keys, its halves are asked for.
 *
 * @throws MillraceError `config` for an address that is no URL, or that holds a user.
 */
export const http = { getLookup, postLookup, pollSource, ingestSource, webhookSink } as const;
