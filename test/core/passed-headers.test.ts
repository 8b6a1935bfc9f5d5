import { describe, expect, it } from 'vitest';
import { headersFor, type TopicSinkOptions } from '../../connectors/kafka/topic-options.js';
import { internalEventTime, internalRecord } from '../../src/core/internal.js';
import { headerPicker, passedHeadersText, traceHeaders } from '../../src/core/passed-headers.js';
import type { Headers, Origin } from '../../src/core/record.js';
import { json } from '../../src/schema/index.js';

const header = (name: string, text: string) => [name, Buffer.from(text)] as const;
const origin = (headers?: Headers): Origin => ({ topic: 'in', partition: 1, offset: 7, headers }) as Origin;
const incoming: Headers = [
  header('tenant', 'a'),
  header('traceparent', '00-1-2-01'),
  header('millrace.reason', 'malformed'),
  header('tenant', 'b'),
  header('baggage', 'x=1'),
];
const named = (headers: Headers | undefined) => headers?.map(([name, value]) => `${name}=${Buffer.from(value)}`);

describe('headers that are passed on', () => {
  it('are those asked for, in their order, repeated ones too, and none of our own', () => {
    expect(named(headerPicker(traceHeaders)(origin(incoming)))).toEqual(['traceparent=00-1-2-01', 'baggage=x=1']);
    expect(named(headerPicker(['tenant', 'millrace.reason'])(origin(incoming)))).toEqual(['tenant=a', 'tenant=b']);
    expect(named(headerPicker('all')(origin(incoming)))).toEqual([
      'tenant=a',
      'traceparent=00-1-2-01',
      'tenant=b',
      'baggage=x=1',
    ]);
  });

  it('are none where none are asked for, or none came', () => {
    for (const passed of [undefined, [], ['other']] as const) {
      expect(headerPicker(passed)(origin(incoming))).toBeUndefined();
    }
    expect(headerPicker('all')(origin())).toBeUndefined();
    expect(headerPicker('all')(origin([header('millrace.event-time', 'x')]))).toBeUndefined();
  });

  it('stand behind the name of the origin', () => {
    const options: TopicSinkOptions = { topic: 'out', schema: json<unknown>(), key: undefined, partitions: undefined };
    expect(headersFor(options)(origin(incoming))).toBeUndefined();
    expect(named(headersFor({ ...options, nameOrigin: true, headers: ['baggage'] })(origin(incoming)))).toEqual([
      'millrace.topic=in',
      'millrace.partition=1',
      'millrace.offset=7',
      'baggage=x=1',
    ]);
  });

  it('go to the next sub-topology beside the event time', () => {
    const bytes = new Uint8Array([1]);
    for (const [eventTimeMs, more] of [
      [5, 0],
      [5.5, 1],
    ] as const) {
      const record = internalRecord(bytes, bytes, eventTimeMs, 10, [header('traceparent', 't')]);
      expect(record.headers).toHaveLength(1 + more);
      expect(internalEventTime(record)).toBe(eventTimeMs);
      expect(named(headerPicker('all')(origin(record.headers)))).toEqual(['traceparent=t']);
    }
  });

  it('are named in settings', () => {
    expect([passedHeadersText('all'), passedHeadersText(['a', 'b'])]).toEqual(['all', 'a, b']);
  });
});
