import { openFiles } from '../../connectors/file/open.js';
import { openHttp } from '../../connectors/http/open.js';
import type { Profile } from '../core/io.js';
import type { SchemaRegistry } from '../core/schema.js';

/** Connectors that are the same on every profile. */
export interface Anywhere extends Required<Pick<Profile, 'sources' | 'sinks' | 'lookups'>> {
  close(): Promise<void>;
}

/** Gets ready what every profile has in the same way. Nothing is opened before a topology uses it. */
export function openAnywhere(schemas: SchemaRegistry): Anywhere {
  const files = openFiles({ schemas });
  return {
    sources: { file: files.source },
    sinks: { file: files.sink },
    lookups: { http: openHttp().lookUp },
    close: async () => undefined,
  };
}
