/**
 * A number with its noun. Give the plural if it is not formed with `s`.
 *
 * @example
 * counted(1, 'record'); // '1 record'
 * counted(1200, 'process', 'processes'); // '1,200 processes'
 */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
