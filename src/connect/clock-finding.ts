import type { Finding } from '../core/connector.js';

/** Clocks this close are no matter: an answer takes some of it. */
const CLOSE_MS = 1_000;
/** Brokers refuse records that are dated further ahead of their clock. */
const APART_MS = 3_600_000;

/**
 * Compares the clock of a server with the one here. `askedMs` and `answeredMs` are times here: the server read its clock between them.
 *
 * @example clockFinding('Redis', 1_000, 900, 1_200); // { of: 'Redis', state: 'fine', said: 'its clock agrees' }
 */
export function clockFinding(of: string, serverMs: number, askedMs: number, answeredMs: number): Finding {
  const apartMs = serverMs > answeredMs ? serverMs - answeredMs : Math.min(0, serverMs - askedMs);
  if (Math.abs(apartMs) <= CLOSE_MS) return { of, state: 'fine', said: 'its clock agrees' };
  const seconds = Math.round(Math.abs(apartMs) / 1_000);
  return {
    of,
    state: Math.abs(apartMs) > APART_MS ? 'problem' : 'warning',
    said: `its clock is ${seconds} s ${apartMs > 0 ? 'ahead of' : 'behind'} the clock here`,
    hint: 'let all machines take their time from one source (NTP): time-outs, ages and latencies are measured by it',
  };
}
