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
  /** Told that the store of a step does not answer. */
  onFailure(step: string, error: unknown): void;
}

/**
 * The stores that the steps of a run look things up in: one asker a step, shared by its tasks.
 *
 * @throws MillraceError `config` from `open` where the profile cannot look things up in such a store.
 */
export class Lookups implements LookupService {
  private readonly askers = new Map<string, Promise<BatchLoader>>();

  constructor(private readonly options: LookupsOptions) {}

  async open(step: string, lookup: Lookup<unknown>, limits: LookupLimits): Promise<LookupHandle> {
    const opening = getOrInsert(this.askers, step, () => this.openAsker(step, lookup, limits));
    opening.catch(() => this.askers.delete(step)); // it may be tried again
    const asker = await opening;
    asker.reset(); // no task is opened while its store is down
    return {
      ask: (keys, onProgress) => asker.ask(keys, onProgress),
      flush: () => asker.flush(),
      report: (error) => this.options.onFailure(step, error),
    };
  }

  /** Asks the store of a step whether it answers; nothing where the step has none that is open. */
  ping(step: string): Promise<void> | undefined {
    return this.askers.get(step)?.then((asker) => asker.ping());
  }

  async close(): Promise<void> {
    const askers = await Promise.allSettled(this.askers.values());
    await Promise.all(askers.map(async (asker) => asker.status === 'fulfilled' && (await asker.value.close())));
  }

  private async openAsker(step: string, lookup: Lookup<unknown>, limits: LookupLimits): Promise<BatchLoader> {
    const { profile, clock, random } = this.options;
    const driver = await lookupDriver(profile, lookup, step);
    return new BatchLoader(await driver.open(lookup, step, limits), limits, clock, random);
  }
}
