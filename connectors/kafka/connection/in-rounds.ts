/** How long questions wait for the answers to those before them. */
const WAIT_MAX_MS = 100;

interface Waiting<Q, A> {
  readonly question: Q;
  resolve(answer: A): void;
  reject(error: unknown): void;
}

/**
 * Asks many questions at once: those that come while others are being answered wait, and are then asked together. An answer is
 * never older than its question. An answer that takes long holds the next questions back for a tenth of a second only.
 *
 * `ask` returns an answer, or an error, for each question; if it throws, all of them fail.
 *
 * @example
 * const endOf = inRounds((partitions: readonly number[]) => endsOf(partitions));
 * await Promise.all([endOf(1), endOf(2), endOf(3)]); // one or two requests
 */
export function inRounds<Q, A>(
  ask: (questions: readonly Q[]) => Promise<readonly (A | Error)[]>,
): (question: Q) => Promise<A> {
  let waiting: Waiting<Q, A>[] = [];
  let before: Promise<unknown> | undefined;

  const answer = async (round: readonly Waiting<Q, A>[]): Promise<void> => {
    try {
      const answers = await ask(round.map(({ question }) => question));
      for (const [n, { resolve, reject }] of round.entries()) {
        const each = answers[n];
        if (each instanceof Error) reject(each);
        else resolve(each as A);
      }
    } catch (error) {
      for (const { reject } of round) reject(error);
    }
  };
  const begin = async (): Promise<void> => {
    if (before) await atMost(WAIT_MAX_MS, before);
    const round = waiting;
    waiting = [];
    const answered = answer(round).finally(() => {
      if (before === answered) before = undefined;
    });
    before = answered;
  };

  return (question) =>
    new Promise<A>((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (waiting.length === 1) void begin();
    });
}

/** Waits for a promise that never rejects, but not for longer than this. */
async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, passed]);
  clearTimeout(timer);
}
