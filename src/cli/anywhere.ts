import { openFiles } from '../../connectors/file/open.js';
import { openHttp } from '../../connectors/http/open.js';
import { openPostgres } from '../../connectors/postgres/open.js';
import type { Profile } from '../core/io.js';
import type { SchemaRegistry } from '../core/schema.js';
import type { Config } from './settings.js';

/** Connectors that are the same on every profile. */
export interface Anywhere extends Required<Pick<Profile, 'sources' | 'sinks' | 'lookups'>> {
  close(): Promise<void>;
}

/** Gets ready what every profile has in the same way. Nothing is opened before a topology uses it. */
export function openAnywhere(schemas: SchemaRegistry, config: Config): Anywhere {
  const files = openFiles({ schemas });
  const postgres = openPostgres({ url: config.postgres });
  return {
    sources: { file: files.source },
    sinks: { file: files.sink, postgres: postgres.tableSink },
    lookups: { http: openHttp().lookUp, postgres: postgres.lookUp },
    close: () => postgres.close(),
  };
}
