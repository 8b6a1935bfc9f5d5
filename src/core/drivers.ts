import { MillraceError } from './errors.js';
import type { Driver, Profile, Sink, SinkDriver, Source, SourceDriver } from './io.js';
import type { KindDefinition } from './kind.js';
import type { Lookup, LookupDriver } from './lookup.js';

type World<D extends keyof Profile = 'name'> = Pick<Profile, 'name' | 'driver' | D>;

/**
 * The driver of a source on a profile: the profile's own of its kind or connector, otherwise that of the connector that the source
 * carries, which is opened now unless it is open.
 *
 * @throws MillraceError `config` where the profile has none; what the connector says where it cannot be opened.
 */
export const sourceDriver = (
  profile: World<'sources'>,
  source: Source<unknown>,
  where: string,
): Promise<SourceDriver> => driverOf(profile, profile.sources, source, where);

/** Likewise of a sink. */
export const sinkDriver = (profile: World<'sinks'>, sink: Sink<never>, where: string): Promise<SinkDriver> =>
  driverOf(profile, profile.sinks, sink, where);

/** Likewise of a lookup. */
export const lookupDriver = (
  profile: World<'lookups'>,
  lookup: Lookup<unknown>,
  where: string,
): Promise<LookupDriver> => driverOf(profile, profile.lookups, lookup, where);

interface Carrier {
  readonly connector: string;
  readonly kind: string;
  readonly definition?: KindDefinition | undefined;
}

async function driverOf<D extends Driver>(
  profile: World,
  own: Readonly<Record<string, D>> = {},
  { connector, kind, definition }: Carrier,
  where: string,
): Promise<D> {
  const brought = Object.hasOwn(own, kind) ? own[kind] : own[connector];
  if (brought !== undefined) return brought;
  if (definition !== undefined && profile.driver !== undefined) return (await profile.driver(definition)) as D;
  throw new MillraceError('config', `the ${profile.name} profile has no connector '${connector}'`, {
    where,
    hint: `it brings ${Object.keys(own).join(', ') || 'none of its own'}; a connector made by defineConnector brings itself`,
  });
}
