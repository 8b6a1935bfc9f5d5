import { secretNow } from '../../connect/secrets.js';
import { MillraceError, messageOf } from '../../core/errors.js';
import { urlOf } from '../../util/http-access.js';
import { readConfig } from '../load/config-file.js';

/** A run that serves its state, and what it wants to be told. */
export interface RunAddress {
  readonly url: string;
  readonly token: string | undefined;
}

export const URL_OPTION = ['--url <address>', 'address of the run; by default the settings `host` and `port`'] as const;

/** @throws MillraceError `config` where neither the option nor a setting has the address. */
export async function runAddress({ url }: { readonly url?: string }): Promise<RunAddress> {
  const config = await readConfig();
  const { host, port } = config;
  if (url === undefined && port === 0)
    throw new MillraceError('config', 'the address of the run is not known', {
      where: '--url',
      hint: 'pass --url http://HOST:PORT of a run that was started with --port, or set MILLRACE_PORT',
    });
  return {
    url: (url ?? urlOf(host, port)).replace(/\/$/, ''),
    token: await secretNow(config, 'token', 'tokenFile'),
  };
}

/**
 * Asks a run; with a body it is asked to do something.
 *
 * @throws MillraceError `config` if it does not answer, needs a token or refuses.
 */
export async function askRun({ url, token }: RunAddress, path: string, body?: object): Promise<Response> {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const answer = await fetch(`${url}${path}`, { ...request, headers, redirect: 'error' }).catch((error: unknown) => {
    throw noAnswer(url, messageOf(error), error);
  });
  if (answer.ok) return answer;
  if (answer.status === 401) throw noAnswer(url, 'it needs the token in MILLRACE_TOKEN');
  const said = (await answer.json().catch(() => ({}))) as { readonly error?: string; readonly hint?: string };
  if (said.error === undefined || said.hint === undefined) throw noAnswer(url, `it answers ${answer.status}`);
  throw new MillraceError('config', said.error, { where: url, hint: said.hint });
}

export const noAnswer = (url: string, why: string, cause?: unknown): MillraceError =>
  new MillraceError('config', `no run answers at ${url}: ${why}`, {
    where: '--url',
    hint: 'a run serves its state with --port',
    cause,
  });
