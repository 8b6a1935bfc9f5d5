/**
 * Counts how long brokers throttle this client because of quotas. Their answers state the delay; the connection is not used during
 * it, since an earlier request would stay unread and lengthen the delay.
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

/** The throttle time in a broker's answer, in milliseconds; 0 if there is none. */
export function throttleMsIn(answer: unknown): number {
  if (typeof answer !== 'object' || answer === null || !('throttleTimeMs' in answer)) return 0;
  const { throttleTimeMs } = answer;
  return typeof throttleTimeMs === 'number' ? throttleTimeMs : 0;
}
