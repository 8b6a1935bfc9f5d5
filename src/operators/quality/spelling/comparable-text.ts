/** A value as JSON, a bigint (which JSON has none of) as `12n`: equal values give equal texts. */
export const comparableText = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each));
