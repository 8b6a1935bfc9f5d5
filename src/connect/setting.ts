import { Mistake, type Setting } from '../core/connector.js';

// The types of settings of profiles and connectors.

export interface Choice<T> extends Setting<T> {
  readonly values: readonly T[];
}

const plain = { secret: false } as const;

export const choice = <T extends string>(
  values: readonly T[],
  fallback: NoInfer<T>,
  description: string,
): Choice<T> => ({
  ...plain,
  values,
  fallback,
  description,
  type: values.map((value) => `\`${value}\``).join(' or '),
  parse: (value) => values.find((known) => known === value) ?? new Mistake(`one of ${values.join(', ')}`),
});

export const text = (type: string, fallback: string, description: string): Setting<string> => ({
  ...plain,
  type,
  fallback,
  description,
  parse: (value) => (String(value).trim() === '' ? new Mistake(`some ${type}`) : String(value)),
});

/** Messages do not show it, because a URL may hold a password. */
export const url = (protocols: readonly string[], fallback: string, description: string): Setting<string> => ({
  type: 'URL',
  fallback,
  description,
  secret: true,
  parse: (value) => {
    const protocol = URL.canParse(String(value)) ? new URL(String(value)).protocol.slice(0, -1) : '';
    return protocols.includes(protocol)
      ? String(value)
      : new Mistake(`a URL that begins with ${protocols.join(':// or ')}://`);
  },
});

/** A URL that may have several hosts, with commas. */
export const urls = (...of: Parameters<typeof url>): Setting<string> => {
  const one = url(...of);
  const hosts = /^([a-z]+:\/\/[^/?#,]*)((?:,[^\s/?#,]+)*)/;
  return {
    ...one,
    type: 'URL, several hosts with commas',
    parse: (value) => {
      const parsed = one.parse(String(value).replace(hosts, '$1'));
      return parsed instanceof Mistake ? parsed : String(value);
    },
  };
};

export const brokers = (fallback: string, description: string): Setting<string> => ({
  ...plain,
  type: '`host:port`, several with commas',
  fallback,
  description,
  parse: (value) => {
    const wellFormed = String(value)
      .split(',')
      .every((part) => /^[^\s:,/]+:\d{1,5}$/.test(part.trim()));
    return wellFormed ? String(value) : new Mistake('host:port, several separated by commas, without a protocol');
  },
});

export const wholeNumber = (min: number, max: number, fallback: number, description: string): Setting<number> => ({
  ...plain,
  type: `${min} to ${max}`,
  fallback,
  description,
  parse: (value) => {
    const number = typeof value === 'number' ? value : /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
    const fits = Number.isInteger(number) && number >= min && number <= max;
    return fits ? number : new Mistake(`a whole number from ${min} to ${max}`);
  },
});

export const amount = (fallback: number, description: string): Setting<number> => ({
  ...plain,
  type: 'number, from 0',
  fallback,
  description,
  parse: (value) => {
    const number = typeof value === 'number' || value.trim() !== '' ? Number(value) : Number.NaN;
    return Number.isFinite(number) && number >= 0 ? number : new Mistake('a number from 0');
  },
});

export function share(fallback: number, description: string): Setting<number> {
  const fromZero = amount(fallback, description);
  const parse: Setting<number>['parse'] = (value) => {
    const number = fromZero.parse(value);
    return typeof number === 'number' && number > 1 ? new Mistake('a number from 0 to 1') : number;
  };
  return { ...fromZero, type: '0 to 1', parse };
}

/** Unset by default. */
export const optional = (type: string, description: string): Setting<string> => ({
  ...plain,
  type,
  fallback: '',
  description,
  parse: (value) => (typeof value === 'string' ? value : new Mistake(`some ${type}`)),
});

/** A password, unset by default. */
export const sealed = (description: string): Setting<string> & { readonly sealed: true } => ({
  ...optional('text', description),
  secret: true,
  sealed: true,
});
