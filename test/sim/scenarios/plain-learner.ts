// Online learning as plain loops: the hashing, the rolling means, FTRL-Proximal and the baseline, written from their
// definitions and in the same order of additions, so that results can be compared bit by bit.

const fnv = (text: string): number => {
  let hash = 2166136261 | 0;
  for (const unit of text) hash = Math.imul(hash ^ unit.charCodeAt(0), 16777619);
  return hash;
};
const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
const absorbed = (hash: number, next: number): number =>
  (Math.imul(rotated(hash ^ Math.imul(rotated(Math.imul(next, 0xcc9e2d51), 15), 0x1b873593), 13), 5) + 0xe6546b64) | 0;
const avalanched = (hash: number): number => {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
};
const hashOf = (value: string | number): number =>
  typeof value === 'string' ? fnv(value) : Math.imul(value ^ 0x85ebca6b, 16777619);

/** The coordinate of a hashed feature among `2 ** bits`. */
export function coordinate(feature: string, values: readonly (string | number)[], bits: number): number {
  let hash = fnv(feature);
  for (const value of values) hash = absorbed(hash, hashOf(value));
  return avalanched(hash) & (2 ** bits - 1);
}

/** A mean that fades with a half-life and leans on a prior. */
export class FadingMean {
  private atMs = 0;
  private weight = 0;
  private sum = 0;
  private isEmpty = true;

  constructor(
    private readonly halfLifeMs: number,
    private readonly prior: number,
  ) {}

  at(nowMs: number): number {
    const fade = this.isEmpty ? 0 : this.fade(nowMs);
    return (this.sum * fade + this.prior) / (this.weight * fade + 1) - this.prior;
  }

  add(nowMs: number, value: number): void {
    if (this.isEmpty) this.atMs = nowMs;
    this.isEmpty = false;
    if (nowMs > this.atMs) {
      const fade = this.fade(nowMs);
      this.atMs = nowMs;
      this.weight *= fade;
      this.sum *= fade;
    }
    this.weight += 1;
    this.sum += value;
  }

  private fade(nowMs: number): number {
    const elapsedMs = nowMs - this.atMs;
    return elapsedMs > 0 ? Math.exp(-elapsedMs * (Math.LN2 / this.halfLifeMs)) : 1;
  }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Logistic regression by FTRL-Proximal with beta 1 and no regularisation; z and n of each coordinate side by side. */
export class PlainFtrl {
  readonly state: Float64Array;

  constructor(
    coordinates: number,
    private readonly alpha: number,
  ) {
    this.state = new Float64Array(2 * coordinates);
  }

  predict(features: readonly (readonly [coordinate: number, value: number])[]): number {
    let logit = 0;
    for (const [at, x] of features) logit += this.weight(at) * x;
    return sigmoid(logit);
  }

  learn(features: readonly (readonly [coordinate: number, value: number])[], label: boolean): void {
    const slope = this.predict(features) - (label ? 1 : 0);
    for (const [at, x] of features) {
      const gradient = slope * x;
      const weight = this.weight(at);
      const before = this.state[2 * at + 1] as number;
      const after = before + gradient * gradient;
      const z = this.state[2 * at] as number;
      this.state[2 * at] = z + gradient - (Math.sqrt(after) - Math.sqrt(before)) * (1 / this.alpha) * weight;
      this.state[2 * at + 1] = after;
    }
  }

  private weight(at: number): number {
    const z = this.state[2 * at] as number;
    if (z === 0) return 0;
    return -z / (1 / this.alpha + Math.sqrt(this.state[2 * at + 1] as number) * (1 / this.alpha));
  }
}
