import type { Redis } from '../../connectors/redis/open.js';
import { messageOf } from '../core/errors.js';
import type { AnswerStore } from '../inference/index.js';
import { CircuitBreaker } from '../util/circuit-breaker.js';

export interface RedisAnswersOptions {
  /** Opens Redis, or gives it where it is open. */
  connect(): Promise<Pick<Redis, 'command'>>;
  /** How long an answer is kept. */
  readonly seconds: number;
  onWarning(message: string): void;
}

const PREFIX = 'millrace:answer:';
/** A model is asked in place of a Redis that takes longer, in milliseconds. */
const LATE_MS = 100;
/** What comes while so many writes are under way is not kept. */
const WRITES_MAX = 64;
const FAILURES_MAX = 3;

/**
 * Keeps answers of models in Redis, for all processes. Redis is no part of a run: while it does not answer, or not in time, nothing is
 * known, and after some failures it is left alone for a while.
 *
 * Memory: 64 batches of answers on their way. In Redis, answers leave after their time, or earlier where its `maxmemory-policy` says so.
 */
export function redisAnswers({ connect, seconds, onWarning }: RedisAnswersOptions): AnswerStore {
  const breaker = new CircuitBreaker({ failuresMax: FAILURES_MAX, now: () => performance.now(), random: Math.random });
  let isFailing = false;
  let writes = 0;

  async function send(commands: Parameters<Redis['command']>[0]): Promise<readonly unknown[]> {
    if (breaker.isOpen) return [];
    try {
      const { command } = await connect();
      const answers = await inTime(command(commands));
      breaker.succeeded();
      isFailing = false;
      return answers;
    } catch (error) {
      breaker.failed();
      if (!isFailing) onWarning(`answers of models are not shared in Redis now: ${messageOf(error)}`);
      isFailing = true;
      return [];
    }
  }

  return {
    async get(keys) {
      const commands = keys.map((key) => ({
        key: PREFIX + key,
        command: ['get', PREFIX + key] as const,
        binary: true,
      }));
      return (await send(commands)).map((answer) => (Buffer.isBuffer(answer) ? answer : undefined));
    },
    async set(answers) {
      if (writes >= WRITES_MAX) return;
      writes++;
      const commands = Array.from(answers, ([key, answer]) => ({
        key: PREFIX + key,
        command: ['set', PREFIX + key, answer, 'EX', seconds] as const,
      }));
      await send(commands).finally(() => writes--);
    },
  };
}

/** Rejects where an answer takes too long. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => reject(new Error(`no answer within ${LATE_MS} ms`)), LATE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(limit);
  }
}
