import { MillraceError } from './errors.js';

declare const TYPE: unique symbol;

/** The name of something that a process does for the steps of its topologies, with its type. */
export interface Service<out T> {
  readonly name: string;
  readonly [TYPE]?: (() => T) | undefined;
}

/**
 * Names a service: a step requests it by this value, and the process that runs the step provides it.
 *
 * @example
 * export const rates = defineService<{ rateOf(currency: string): Promise<number> }>('rates');
 * // in a batched operator: services.get(rates).rateOf('EUR')
 * // in the process: await start(payments, { services: [provide(rates, ratesFrom(url))] })
 */
export const defineService = <T>(name: string): Service<T> => Object.freeze({ name });

/** Processing time, by the clock of the run. What depends on it differs in a replay, so a step that asks is `nondeterministic`. */
export const clockService = defineService<{ nowMs(): number }>('clock');

/** A service and its implementation. */
export interface ProvidedService {
  readonly service: Service<unknown>;
  readonly value: unknown;
}

/**
 * Provides a service. The caller also closes it, after the run.
 *
 * @example
 * provide(rates, { rateOf: async (currency) => table[currency] });
 */
export const provide = <T>(service: Service<T>, value: T): ProvidedService => Object.freeze({ service, value });

/** The services of a process, by name. */
export interface ServiceRegistry {
  /** @throws MillraceError `config` if the process does not provide it. */
  get<T>(service: Service<T>): T;
}

/**
 * A registry of provided services.
 *
 * @throws MillraceError `config` if two services have one name.
 */
export function serviceRegistry(provided: readonly ProvidedService[]): ServiceRegistry {
  const byName = new Map<string, unknown>();
  for (const { service, value } of provided) {
    if (byName.has(service.name))
      throw new MillraceError('config', `the service '${service.name}' is provided twice`, { where: service.name });
    byName.set(service.name, value);
  }
  return {
    get<T>({ name }: Service<T>): T {
      if (byName.has(name)) return byName.get(name) as T;
      throw new MillraceError('config', `this process does not provide the service '${name}'`, {
        where: name,
        hint: `it provides: ${[...byName.keys()].join(', ') || 'none'}`,
      });
    },
  };
}
