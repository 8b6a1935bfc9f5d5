import type { SinkContext } from '../../src/core/sink.js';
import { fenceName, type Script } from './fenced.js';
import type { Call, Slots } from './fenced-writer.js';
import type { Keyed } from './server/connection.js';
import { Refusal } from './server/errors.js';
import { slotOf, tagOf } from './server/hash-slot.js';
import { allAnswered, type Server } from './server/server.js';

/** On one server a call may touch all keys; in a cluster only those of one slot, and each slot has its own fence. */
export const slotsOf = (isCluster: boolean): Slots =>
  isCluster
    ? { of: slotOf, fence: (name, slot) => `millrace:fence:{${tagOf(slot)}}:${name}` }
    : { of: () => 0, fence: (name) => `millrace:fence:${name}` };

const SLOTS = 16_384;

/** All fences that a step of a task may have. */
export function fencesOf({ task, step }: SinkContext, isCluster: boolean): readonly string[] {
  const { fence } = slotsOf(isCluster);
  const name = fenceName(task, step);
  return Array.from({ length: isCluster ? SLOTS : 1 }, (_, slot) => fence(name, slot));
}

/**
 * Makes calls of a script, in one pipeline per node, and loads the script into servers that do not know it. Repeats all if one
 * fails.
 */
export function makeCallsOf(server: Server, script: Script, doing: string) {
  return (calls: readonly Call[]): Promise<readonly number[]> =>
    server.attempt(doing, async (on) => {
      const answers = [...(await on.send(calls.map((call) => keyed(call, 'evalsha', script.sha))))];
      const unknown = answers.flatMap((answer, i) => (isUnknown(answer) ? [i] : []));
      if (unknown.length > 0) {
        const learnt = await on.send(unknown.map((i) => keyed(calls[i] as Call, 'eval', script.lua)));
        for (const [at, i] of unknown.entries()) answers[i] = learnt[at];
      }
      return allAnswered(answers.map((answer, i) => countOf(answer, calls[i] as Call))) as readonly number[];
    });
}

/** The number of records that a call wrote, or the reason why Redis refuses one of them. */
const countOf = (answer: unknown, { keys }: Call): unknown =>
  Array.isArray(answer) ? new Refusal(String(answer[0]), keys[answer[1]] as string) : answer;

const keyed = ({ keys, args }: Call, name: string, script: string): Keyed => ({
  key: keys[0] as string,
  command: [name, script, keys.length, ...keys, ...args],
});

const isUnknown = (answer: unknown): boolean => answer instanceof Error && answer.message.startsWith('NOSCRIPT');
