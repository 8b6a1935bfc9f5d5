/**
 * The uses that find their model in memory where the future is known: a model that must leave is the one that is used again the latest
 * (Belady 1966). Each model is loaded when it is used, as by any policy.
 */
export function hitsInHindsight(trace: readonly number[], bytesOf: readonly number[], bytesMax: number): boolean[] {
  const nextUse = new Array<number>(trace.length);
  const seen = new Map<number, number>();
  for (let at = trace.length - 1; at >= 0; at--) {
    const model = trace[at] as number;
    nextUse[at] = seen.get(model) ?? Number.POSITIVE_INFINITY;
    seen.set(model, at);
  }
  /** The models in memory, each with its next use. */
  const residents = new Map<number, number>();
  let bytes = 0;
  return trace.map((model, at) => {
    const isHit = residents.delete(model);
    if (!isHit) {
      bytes += bytesOf[model] as number;
      const latestFirst = [...residents].sort(([, a], [, b]) => b - a);
      for (const [victim] of latestFirst) {
        if (bytes <= bytesMax) break;
        residents.delete(victim);
        bytes -= bytesOf[victim] as number;
      }
    }
    residents.set(model, nextUse[at] as number);
    return isHit;
  });
}

export const rateOf = (hits: readonly boolean[]): number => hits.filter(Boolean).length / hits.length;

/** Models by their popularity: the k-th is used 1/k^s as often as the first. */
export function zipf(models: number, s: number, random: () => number): () => number {
  const sums: number[] = [];
  for (let rank = 1; rank <= models; rank++) sums.push((sums.at(-1) ?? 0) + rank ** -s);
  const all = sums.at(-1) as number;
  return () => {
    const at = random() * all;
    return Math.max(
      0,
      sums.findIndex((sum) => sum > at),
    );
  };
}
