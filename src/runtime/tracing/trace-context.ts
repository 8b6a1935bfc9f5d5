import { createHash, randomFillSync } from 'node:crypto';
import type { Origin } from '../../core/index.js';
import type { SpanPlace } from './span.js';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
const SAMPLED = 0x01;

const random = { bytes: Buffer.alloc(4_096), used: 4_096 };

/** The system is asked once for many ids: a call for each costs more than the rest of a span. */
function randomDigits(bytes: number): string {
  if (random.used + bytes > random.bytes.length) {
    randomFillSync(random.bytes);
    random.used = 0;
  }
  random.used += bytes;
  return random.bytes.toString('hex', random.used - bytes, random.used);
}

export const newSpanId = (): string => randomDigits(8);
export const newTraceId = (): string => randomDigits(16);

/** The trace of a record, and the span of its sender if that one has a trace. */
export interface TraceContext {
  readonly traceId: string;
  readonly parentSpanId?: string;
}

/**
 * The trace of a record that is to be traced. A record with a `traceparent` (W3C Trace Context) follows its sender's decision and continues
 * that trace. Others are drawn by a hash of topic, partition and offset, so every process and every replay draws the same, and their trace ids follow
 * from the same place.
 */
export function traceContextOf(
  origin: Origin,
  share: number,
  seed: number = seedOf(origin.topic),
): TraceContext | undefined {
  const { headers, topic, partition, offset } = origin;
  const sent = headers === undefined ? undefined : sentContext(headers);
  if (sent) return sent.isSampled ? { traceId: sent.traceId, parentSpanId: sent.spanId } : undefined;
  if (share < 1 && (share === 0 || drawOf(seed, partition, offset) >= share)) return undefined;
  const place = `${topic}/${partition}/${offset}`;
  return { traceId: createHash('sha256').update(place).digest('hex').slice(0, 32) };
}

function sentContext(
  headers: NonNullable<Origin['headers']>,
): (SpanPlace & { readonly isSampled: boolean }) | undefined {
  for (const [name, value] of headers) {
    if (name !== 'traceparent' || value === null) continue;
    const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(Buffer.from(value).toString('latin1')) ?? [];
    // Ids of zeros are invalid.
    if (!/[1-9a-f]/.test(traceId) || !/[1-9a-f]/.test(spanId)) continue;
    return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
  }
  return undefined;
}

/** The part of a draw that all records of a topic share: FNV-1a. */
export function seedOf(topic: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < topic.length; i++) hash = Math.imul(hash ^ topic.charCodeAt(i), 0x01000193);
  return hash;
}

/** Even in [0, 1): the finalizer of MurmurHash3, once a number. */
const drawOf = (seed: number, partition: number, offset: number): number =>
  (mixed(mixed(mixed(seed ^ partition) ^ (offset >>> 0)) ^ Math.floor(offset / 2 ** 32)) >>> 0) / 2 ** 32;

function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
