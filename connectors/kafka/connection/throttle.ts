/**
 * How long brokers have made this client wait because it exceeds a quota. They say so in their answers; until then a
 * connection is not used, since what is sent earlier lies unread and would only make the wait longer.
 */
export class Throttle {
  private sumMs = 0;

  constructor(private readonly onFirst: () => void) {}

  /** Over all connections, since the start. */
  get totalMs(): number {
    return this.sumMs;
  }

  heard(ms: number): void {
    if (this.sumMs === 0) this.onFirst();
    this.sumMs += ms;
  }
}

/** The throttle time in an answer of a broker, in milliseconds; 0 where there is none. */
export function throttleMsIn(answer: unknown): number {
  if (typeof answer !== 'object' || answer === null || !('throttleTimeMs' in answer)) return 0;
  const { throttleTimeMs } = answer;
  return typeof throttleTimeMs === 'number' ? throttleTimeMs : 0;
}
