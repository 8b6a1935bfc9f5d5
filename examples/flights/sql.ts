/** Runs SQL in the ClickHouse engine and gives its rows as objects. */
export type Query = <T>(sql: string) => Promise<T[]>;

/** Runs SQL that answers nothing. */
export type Command = (sql: string) => Promise<unknown>;

/** A string as an SQL literal. */
export const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
