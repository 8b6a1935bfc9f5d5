import {
  type Lookup,
  type LookupHandle,
  type LookupLimits,
  type LookupService,
  lookupDriver,
  type Profile,
} from '../../core/index.js';
import { getOrInsert } from '../../util/maps.js';
import type { Clock } from '../clock.js';
import { BatchLoader } from './batch-loader.js';

export interface LookupsOptions {
  readonly profile: Profile;
  readonly clock: Clock;
  /** Uniform in [0, 1), for the jitter of pauses. */
  readonly random: () => number;
  /** Called if the store of a step does not answer. */
  onFailure(step: string, error: unknown): void;
}

/**
 * The lookup stores of a run: one `BatchLoader` per step, shared by its tasks.
 *
 * @throws MillraceError `config` from `open` if the profile has no driver for the store.
 */
export class Lookups implements LookupService {
  private readonly loaders = new Map<string, Promise<BatchLoader>>();

  constructor(private readonly options: LookupsOptions) {}

  async open(step: string, lookup: Lookup<unknown>, limits: LookupLimits): Promise<LookupHandle> {
    const opening = getOrInsert(this.loaders, step, () => this.openLoader(step, lookup, limits));
    opening.catch(() => this.loaders.delete(step)); // it may be retried
    const loader = await opening;
    loader.reset(); // no task is opened while its store is down
    return {
      get: (keys, onProgress) => loader.load(keys, onProgress),
      flush: () => loader.flush(),
      report: (error) => this.options.onFailure(step, error),
    };
  }

  /** Checks whether the store of a step answers; undefined if the step has no open store. */
  ping(step: string): Promise<void> | undefined {
    return this.loaders.get(step)?.then((loader) => loader.ping());
  }

  async close(): Promise<void> {
    const loaders = await Promise.allSettled(this.loaders.values());
    await Promise.all(loaders.map(async (loader) => loader.status === 'fulfilled' && (await loader.value.close())));
  }

  private async openLoader(step: string, lookup: Lookup<unknown>, limits: LookupLimits): Promise<BatchLoader> {
    const { profile, clock, random } = this.options;
    const driver = await lookupDriver(profile, lookup, step);
    return new BatchLoader(await driver.open(lookup, step, limits), limits, clock, random);
  }
}
