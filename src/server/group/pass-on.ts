import { messageOf } from '../../core/errors.js';
import type { TaskElsewhere } from '../../runtime/index.js';
import { placesOf } from '../owner-address.js';

/** Who this process is to the others of its group. */
export interface GroupIdentity {
  readonly topology: string;
  readonly token: string | undefined;
  readonly elsewhere: () => readonly TaskElsewhere[];
}

/** Names who asked first. A request that has it is not passed on again. */
export const PASSED_ON = 'millrace-passed-on';
/** A task may take ten seconds to drain. */
const ANSWER_MS = 15_000;

/** How long a question may take: who looks waits for it, and an autoscaler for three seconds. */
const QUESTION_MS = 2_000;
/** Of a group, this one and others. */
export const PROCESSES_MAX = 256;

/** What a process said. */
export interface PassedOn {
  readonly url: string;
  /** Missing if there is a problem. */
  readonly answer?: unknown;
  readonly problem?: string;
}

/**
 * Sends an action to every other process that has tasks, with the token and the name of who asked for it. `nowhere` are tasks whose process
 * is not known, or not believed.
 */
export async function passOn({ topology, token, elsewhere }: GroupIdentity, path: string, by: string) {
  const { tasksOf, nowhere } = placesOf(elsewhere(), topology, token);
  const headers = {
    'content-type': 'application/json',
    [PASSED_ON]: encodeURIComponent(by),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const send = async (url: string): Promise<PassedOn> => {
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: '{}', redirect: 'error', signal });
      const answer: unknown = await response.json();
      if (response.ok) return { url, answer };
      const { error = response.status } = answer as { readonly error?: string };
      return { url, problem: `it answers: ${error}` };
    } catch (error) {
      return { url, problem: messageOf(error) };
    }
  };
  return { answers: await Promise.all([...tasksOf.keys()].map(send)), nowhere };
}

/** Asks every other process that has tasks for something; `undefined` of one that does not answer within two seconds. */
export async function askOthers<Answer>({ topology, token, elsewhere }: GroupIdentity, path: string) {
  const { tasksOf, nowhere } = placesOf(elsewhere(), topology, token);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const ask = async (url: string): Promise<Answer | undefined> => {
    try {
      const signal = AbortSignal.timeout(QUESTION_MS);
      const answer = await fetch(`${url}${path}`, { headers, redirect: 'error', signal });
      return answer.ok ? ((await answer.json()) as Answer) : undefined;
    } catch {
      return undefined; // it has died or moved: the group will say where its tasks are
    }
  };
  return { answers: await Promise.all([...tasksOf.keys()].slice(0, PROCESSES_MAX).map(ask)), nowhere };
}
