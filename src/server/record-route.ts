import type { FastifyInstance } from 'fastify';
import { answered, callerOf } from './actions/action-routes.js';

/** A record in a topic. */
export interface FoundRecord {
  /** TOPIC/PARTITION/OFFSET. */
  readonly place: string;
  readonly partition: number;
  readonly offset: number;
  /** The record's time in its log. */
  readonly timestamp: string;
  readonly bytes: number;
  /** The place of the record that it comes from, where its headers say so. */
  readonly origin: string | undefined;
  /** Of a record of a source: which steps and sinks it comes to, as a sentence. */
  readonly way?: string;
  /** Of a dead letter. */
  readonly letter: { readonly reason: string; readonly step: string } | undefined;
  /** Only where values may be shown. */
  readonly values: { readonly key: string | null; readonly record: string } | undefined;
}

/** What a topic has of a record. */
export interface TopicTrail {
  /** The source or sink. */
  readonly node: string;
  readonly role: 'source' | 'sink' | 'dead letters';
  readonly topic: string;
  /** Entries of the topic, and how many of the newest were read. */
  readonly entries: number;
  readonly scanned: number;
  readonly found: number;
  /** The newest of those found, the newest last. */
  readonly records: readonly FoundRecord[];
}

/** What the topics of a topology have of a record. */
export interface RecordTrail {
  /** Whether the look ended before it had read all that it should. */
  readonly isCut: boolean;
  readonly topics: readonly TopicTrail[];
}

/** Looks for one record in the topics of a run. */
export interface RecordDesk {
  /** @throws MillraceError `config` while too many others look. */
  find(id: string, by: string): Promise<RecordTrail>;
}

const querystring = {
  type: 'object',
  required: ['id'],
  additionalProperties: false,
  properties: { id: { type: 'string', minLength: 1, maxLength: 300 } },
} as const;

/** Adds `/record?id=ID` (GET): what the topics of a topology have of one record, by its key, its place or an id in its value. */
export function serveRecords(server: FastifyInstance, records: RecordDesk): void {
  server.get<{ Querystring: { id: string } }>('/record', { schema: { querystring } }, (request, reply) =>
    answered(reply, () => records.find(request.query.id, callerOf(request))),
  );
}
