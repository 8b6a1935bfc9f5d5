import { describe } from 'vitest';
import * as clickhouse from './clickhouse.js';
import * as embedded from './embedded.js';
import * as engine from './engine.js';
import * as http from './http.js';
import * as kafka from './kafka.js';
import { type Service, testKinds } from './kinds.js';
import * as postgres from './postgres.js';
import * as redis from './redis.js';
import * as s3 from './s3.js';

// The fault list against real services. A kind joins by its world in the file of its service, and a line in expected.ts.

const services: Readonly<Record<string, readonly Service[]>> = {
  clickhouse: clickhouse.lanes,
  embedded: [embedded, engine],
  http: [http],
  kafka: [kafka],
  postgres: [postgres],
  redis: redis.lanes,
  s3: [s3],
};

// Side by side, since most of the time they wait.
describe.concurrent.each(Object.entries(services))('%s', (service, lanes) => testKinds(service, ...lanes));
