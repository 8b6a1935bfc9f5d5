/** What makes a name of a value, where one may be given for all of them. */
export const nameOf = (name: string | ((value: never) => string)): ((value: unknown) => string) =>
  typeof name === 'string' ? () => name : (name as (value: unknown) => string);
