import { definition } from '../../connectors/clickhouse/definition.js';
import type { ClickHouse } from '../../connectors/clickhouse/open.js';
import type { OpenProfile } from '../../src/profiles/profiles.js';

/** The ClickHouse of a profile. */
export const tablesOf = async (profile: Pick<OpenProfile, 'connect'>): Promise<ClickHouse> =>
  (await profile.connect(definition)).tables;
