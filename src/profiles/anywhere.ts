import { openFiles } from '../../connectors/file/open.js';
import type { WrittenFiles } from '../../connectors/file/written.js';
import { openHttp } from '../../connectors/http/open.js';
import { httpSink } from '../../connectors/http/sink.js';
import { httpSource } from '../../connectors/http/source.js';
import { openPostgres, type Postgres } from '../../connectors/postgres/open.js';
import { openRedis, type Redis } from '../../connectors/redis/open.js';
import { openS3 } from '../../connectors/s3/open.js';
import type { Profile, TopicProducer } from '../core/profile.js';
import type { SchemaRegistry } from '../core/schema.js';
import type { SourceDriver } from '../core/source.js';
import { redisOptions } from './redis-options.js';
import type { Config } from './settings.js';

/** Connectors that are the same on every profile. */
export interface Anywhere extends Required<Pick<Profile, 'sources' | 'sinks' | 'lookups'>> {
  /** What there is of Redis beside the hashes, which the embedded profile keeps itself. */
  readonly redis: Redis;
  readonly postgres: Postgres;
  /** What sinks have written to folders, and to buckets. */
  readonly files: WrittenFiles;
  readonly objects: WrittenFiles;
  close(): Promise<void>;
}

export interface Around {
  readonly schemas: SchemaRegistry;
  readonly config: Config;
  /** The profile's topics, which records that come by HTTP go to. */
  readonly topics: SourceDriver;
  readonly producer: () => TopicProducer;
}

/** Sinks that need a Redis server on every profile. */
const serverKinds = [
  'redis.stringSink',
  'redis.jsonSink',
  'redis.streamSink',
  'redis.sortedSetSink',
  'redis.setSink',
  'redis.counterSink',
];

/** Gets ready what every profile has in the same way. Nothing is opened before a topology uses it. */
export function openAnywhere({ schemas, config, topics, producer }: Around): Anywhere {
  const files = openFiles({ schemas });
  const requests = httpSource({ schemas, topics, producer });
  const objects = openS3({ url: config.s3, schemas });
  const postgres = openPostgres({ url: config.postgres });
  const redis = openRedis(redisOptions(config));
  return {
    sources: { file: files.source, s3: objects.source, http: requests, redis: redis.source },
    sinks: {
      file: files.sink,
      s3: objects.sink,
      http: httpSink(),
      postgres: postgres.tableSink,
      ...Object.fromEntries(serverKinds.map((kind) => [kind, redis.sink])),
      'redis.publishSink': redis.publishSink,
    },
    lookups: { http: openHttp().lookup, postgres: postgres.lookup, 'redis.stringLookup': redis.lookup },
    redis,
    postgres,
    files: files.written,
    objects: objects.written,
    async close() {
      await requests.close();
      await postgres.close();
      await redis.close();
    },
  };
}
