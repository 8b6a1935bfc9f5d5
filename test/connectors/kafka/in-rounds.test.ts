import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inRounds } from '../../../connectors/kafka/connection/in-rounds.js';

/** Answers when it is told to, and keeps what it was asked. */
function asking() {
  const rounds: {
    readonly questions: readonly number[];
    answer(by?: (question: number) => string | Error): void;
    fail(): void;
  }[] = [];
  const ask = inRounds(
    (questions: readonly number[]) =>
      new Promise<(string | Error)[]>((resolve, reject) => {
        rounds.push({
          questions,
          answer: (by = String) => resolve(questions.map(by)),
          fail: () => reject(new Error('all failed')),
        });
      }),
  );
  return { rounds, ask };
}

describe('inRounds', () => {
  it('asks at once, and together what came meanwhile', async () => {
    const { rounds, ask } = asking();
    const first = ask(1);
    const others = [ask(2), ask(3)];
    expect(rounds.map(({ questions }) => questions)).toEqual([[1]]);
    rounds[0]?.answer();
    expect(await first).toBe('1');
    await sleep(0);
    expect(rounds.map(({ questions }) => questions)).toEqual([[1], [2, 3]]);
    rounds[1]?.answer();
    expect(await Promise.all(others)).toEqual(['2', '3']);
    await sleep(0);
    const next = ask(4);
    expect(rounds).toHaveLength(3);
    rounds[2]?.answer();
    expect(await next).toBe('4');
  });

  it('does not hold questions back for long where an answer does not come', async () => {
    const { rounds, ask } = asking();
    const first = ask(1);
    const second = ask(2);
    await sleep(200);
    expect(rounds.map(({ questions }) => questions)).toEqual([[1], [2]]);
    rounds[1]?.answer();
    expect(await second).toBe('2');
    rounds[0]?.answer();
    expect(await first).toBe('1');
  });

  it('fails what has an error for an answer, and no other', async () => {
    const { rounds, ask } = asking();
    const first = ask(1);
    const [second, third] = [ask(2), ask(3)];
    rounds[0]?.answer();
    await first;
    await sleep(0);
    rounds[1]?.answer((question) => (question === 2 ? new Error('not this one') : 'fine'));
    await expect(second).rejects.toThrow('not this one');
    expect(await third).toBe('fine');
  });

  it('fails a round as a whole, and asks the next one', async () => {
    const { rounds, ask } = asking();
    const first = ask(1);
    const second = ask(2);
    rounds[0]?.fail();
    await expect(first).rejects.toThrow('all failed');
    await sleep(0);
    rounds[1]?.answer();
    expect(await second).toBe('2');
  });
});
