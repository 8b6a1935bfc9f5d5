/** A setting of a profile or a connector: how its text is read, and what is said of one that cannot be. Its name is its key. */
export interface Setting<out T> {
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
