/** The function that derives a name from a value, also if one name is given for all. */
export const nameOf = (name: string | ((value: never) => string)): ((value: unknown) => string) =>
  typeof name === 'string' ? () => name : (name as (value: unknown) => string);
