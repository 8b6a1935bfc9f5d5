// What a setting is, and the kinds of them: how their text is read and what is said of one that cannot be.

/** A setting's name in the configuration file is its key in `settings`. */
export interface Setting<T> {
  readonly env: string;
  /** How its type reads in tables. */
  readonly type: string;
  readonly fallback: T;
  readonly description: string;
  /** Its value may hold a password: messages name it and never print it. */
  readonly secret: boolean;
  /** It is a password: the environment alone may hold it, no file that lies with the code and no command line. */
  readonly sealed?: true;
  /** The value, or what is wrong with it. */
  parse(value: string | number): T | Mistake;
}

export class Mistake {
  constructor(readonly expected: string) {}
}

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

/** A URL whose host may be several, with commas. */
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

/** Nothing by default. */
export const optional = (plain: Omit<Plain<string>, 'fallback' | 'secret'>, type: string): Setting<string> => ({
  ...plain,
  fallback: '',
  secret: false,
  type,
  parse: (value) => (typeof value === 'string' ? value : new Mistake(`some ${type}`)),
});

/** A password: nothing by default. */
export const sealed = (
  plain: Omit<Plain<string>, 'fallback' | 'secret'>,
): Setting<string> & { readonly sealed: true } => ({
  ...optional(plain, 'text'),
  secret: true,
  sealed: true,
});
