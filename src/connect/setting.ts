import { Mistake, type Setting } from '../core/connector.js';

// The types of settings of profiles and connectors.

export interface Plain<T> {
  readonly env: string;
  readonly fallback: T;
  readonly description: string;
  readonly secret?: boolean;
}

export interface Choice<T> extends Setting<T> {
  readonly values: readonly T[];
}

export const choice = <T extends string>({ secret = false, ...plain }: Plain<T>, values: readonly T[]): Choice<T> => ({
  ...plain,
  secret,
  values,
  type: values.map((value) => `\`${value}\``).join(' or '),
  parse: (value) => values.find((known) => known === value) ?? new Mistake(`one of ${values.join(', ')}`),
});

export const text = ({ secret = false, ...plain }: Plain<string>, type: string): Setting<string> => ({
  ...plain,
  secret,
  type,
  parse: (value) => (String(value).trim() === '' ? new Mistake(`some ${type}`) : String(value)),
});

export const url = ({ secret = false, ...plain }: Plain<string>, protocols: readonly string[]): Setting<string> => ({
  ...plain,
  secret,
  type: 'URL',
  parse: (value) => {
    const protocol = URL.canParse(String(value)) ? new URL(String(value)).protocol.slice(0, -1) : '';
    return protocols.includes(protocol)
      ? String(value)
      : new Mistake(`a URL that begins with ${protocols.join(':// or ')}://`);
  },
});

/** A URL that may have several hosts, with commas. */
export const urls = (plain: Plain<string>, protocols: readonly string[]): Setting<string> => {
  const one = url(plain, protocols);
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

export const brokers = ({ secret = false, ...plain }: Plain<string>): Setting<string> => ({
  ...plain,
  secret,
  type: '`host:port`, several with commas',
  parse: (value) => {
    const wellFormed = String(value)
      .split(',')
      .every((part) => /^[^\s:,/]+:\d{1,5}$/.test(part.trim()));
    return wellFormed ? String(value) : new Mistake('host:port, several separated by commas, without a protocol');
  },
});

export const wholeNumber = (
  { secret = false, ...plain }: Plain<number>,
  min: number,
  max: number,
): Setting<number> => ({
  ...plain,
  secret,
  type: `${min} to ${max}`,
  parse: (value) => {
    const number = typeof value === 'number' ? value : /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
    const fits = Number.isInteger(number) && number >= min && number <= max;
    return fits ? number : new Mistake(`a whole number from ${min} to ${max}`);
  },
});

/** Unset by default. */
export const optional = (plain: Omit<Plain<string>, 'fallback' | 'secret'>, type: string): Setting<string> => ({
  ...plain,
  fallback: '',
  secret: false,
  type,
  parse: (value) => (typeof value === 'string' ? value : new Mistake(`some ${type}`)),
});

/** A password, unset by default. */
export const sealed = (
  plain: Omit<Plain<string>, 'fallback' | 'secret'>,
): Setting<string> & { readonly sealed: true } => ({
  ...optional(plain, 'text'),
  secret: true,
  sealed: true,
});
