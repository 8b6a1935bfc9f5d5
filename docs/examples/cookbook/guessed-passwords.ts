import { match, minutes, startsWith, topology } from 'millrace';
import { deadLetters, out, topic } from '../io.js';

interface Login {
  readonly at: number;
  readonly user: string;
  readonly ok: boolean;
}

const guessed = startsWith('failed', (login: Login) => !login.ok)
  .times(3)
  .next('succeeded', (login) => login.ok);

/** Three failed logins and then one that succeeds, within ten minutes. */
export const example = topology('guessed-passwords', { deadLetters }, (t) => {
  t.source('logins', topic<Login>('logins'))
    .via(
      'guessed',
      match({
        key: ({ user }) => user,
        pattern: guessed,
        within: minutes(10),
        select: ({ failed }, { key, startMs }) => ({ user: key, failures: failed.length, since: startMs / 1_000 }),
        runsMax: 10_000,
        pendingMax: 10_000,
      }),
    )
    .to('out', out());
});

export const records = {
  logins: [
    { at: 0, user: 'ann', ok: false },
    { at: 5, user: 'ann', ok: false },
    { at: 6, user: 'bob', ok: true },
    { at: 9, user: 'ann', ok: false },
    { at: 12, user: 'ann', ok: true },
  ],
};

/* out
out  {"user": "ann", "failures": 3, "since": 0}
*/
