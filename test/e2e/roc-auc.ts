/** The share of pairs of a positive and a negative in which the positive has the higher score; a tie counts half. */
export function rocAucOf(rows: readonly (readonly [score: number, label: boolean])[]): number {
  const sorted = [...rows].sort(([a], [b]) => a - b);
  let [positives, negatives, wins] = [0, 0, 0];
  for (let at = 0; at < sorted.length; ) {
    let [up, down] = [0, 0];
    const score = sorted[at]?.[0];
    for (; at < sorted.length && sorted[at]?.[0] === score; at++) sorted[at]?.[1] ? up++ : down++;
    wins += up * (negatives + down / 2);
    positives += up;
    negatives += down;
  }
  return wins / (positives * negatives);
}
