import { ingestSource } from './ingest.js';
import { getLookup, postLookup } from './lookup.js';
import { pollSource } from './poll.js';
import { webhookSink } from './webhook.js';

export type { IngestOptions } from './ingest.js';
export type { HttpGetOptions, HttpPostOptions } from './lookup.js';
export type { PollOptions } from './poll.js';
export type { WebhookOptions } from './webhook.js';

/**
 * HTTP services as sources, sinks and lookups, as inert data; the same on both profiles.
 *
 * How a lookup treats status codes: 2xx is an answer. 204, and for `getLookup` 404 and 410, mean that the key is missing. 408, 425,
 * 429 and 5xx are retried, after `Retry-After` if given. 401 and 403 stop the run, and for `postLookup` 404 and 405 as well.
 * Anything else, including redirects and unreadable answers, refuses the key; a `postLookup` request of several keys is split into
 * halves first.
 *
 * @throws MillraceError `config` for an address that is not a URL or contains a user.
 */
export const http = { getLookup, postLookup, pollSource, ingestSource, webhookSink } as const;
