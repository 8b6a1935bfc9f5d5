import type { Script } from './fenced.js';
import type { Call, Places } from './fenced-writer.js';
import type { Keyed } from './server/connection.js';
import { Refusal } from './server/errors.js';
import { slotOf, tagOf } from './server/hash-slot.js';
import { allAnswered, type Server } from './server/server.js';

/** On one server all keys lie together; in a cluster those of a slot do, and each slot has a fence of its own. */
export const placesOf = (isCluster: boolean): Places =>
  isCluster
    ? { of: slotOf, fence: (name, slot) => `millrace:fence:{${tagOf(slot)}}:${name}` }
    : { of: () => 0, fence: (name) => `millrace:fence:${name}` };

/** Makes calls of a script, in one go to each node; a server that has not seen it yet is sent it. All of them again where one fails. */
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

/** What a call wrote, or why Redis refuses a record of it. */
const countOf = (answer: unknown, { keys }: Call): unknown =>
  Array.isArray(answer) ? new Refusal(String(answer[0]), keys[answer[1]] as string) : answer;

const keyed = ({ keys, args }: Call, name: string, script: string): Keyed => ({
  key: keys[0] as string,
  command: [name, script, keys.length, ...keys, ...args],
});

const isUnknown = (answer: unknown): boolean => answer instanceof Error && answer.message.startsWith('NOSCRIPT');
