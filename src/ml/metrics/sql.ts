// ClickHouse SQL of a metric, of the text of an array: the sums of its accumulators. The first is the number of rows, then come
// those of `Sums`, plain ones first. Arrays of ClickHouse begin at 1.

/** A compensated sum whose first part is at `at` among the sums. */
export const sumSql = (sums: string, at: number): string => `(${sums}[${at + 2}] + ${sums}[${at + 3}])`;

/** So many sums from `at` on. */
export const sliceSql = (sums: string, at: number, length: number): string =>
  `arraySlice(${sums}, ${at + 2}, ${length})`;

/** An expression that uses a value by a name. */
export const letSql = (name: string, value: string, expression: string): string =>
  `arrayMap(${name} -> ${expression}, [${value}])[1]`;

/** The value, or null where it has none. */
export const finiteSql = (value: string): string => letSql('v', value, 'if(isFinite(v), v, NULL)');

/** A share, or null without anything to share. */
export const shareSql = (top: string, bottom: string): string => `if(${bottom} = 0, NULL, ${top} / ${bottom})`;

/** The mean of the values that are numbers; NaN without any. */
export const meanSql = (values: string): string =>
  letSql('them', `arrayFilter(v -> isFinite(v), ${values})`, 'arraySum(them) / length(them)');
