import type { Command } from 'commander';
import { MillraceError, messageOf } from '../../core/errors.js';
import type { Graph } from '../../server/graph.js';
import type { GroupPicture } from '../../server/group/group-pictures.js';
import { readPictures } from '../../server/group/read-pictures.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { statusText } from '../run/status-text.js';

interface StatusFlags {
  readonly url?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** To the left upper corner, and clear from there: a command's own texts may have no such characters. */
const CLEAR = '\x1b[H\x1b[J';

/** `millrace status`: how a run is, in one picture. */
export function statusCommand({ terminal, act }: CommandContext): Command {
  return command('status', 'Prints how a run with --port is: rates, bottleneck, inputs, dead letters, warnings.', [
    'millrace status --url http://127.0.0.1:9464',
    'MILLRACE_PORT=9464 millrace status --json',
  ])
    .option('--url <address>', 'address of the run; by default the settings `host` and `port`')
    .action((flags: StatusFlags) =>
      act(flags, async () => {
        const { url, token } = await target(flags);
        const graph = await graphAt(url, token);
        let seen = 0;
        let last: GroupPicture | undefined;
        for await (const picture of await picturesAt(url, token)) {
          last = picture;
          seen += 1;
          // The first one has no rates yet.
          if (seen === 2) break;
        }
        if (!last) throw noAnswer(url, 'the stream ended');
        terminal.out(flags.json ? `${JSON.stringify(last)}\n` : statusText(graph, last));
        return last.status === 'ok' ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

/** `millrace top`: the same, again each second. */
export function topCommand({ terminal, act }: CommandContext): Command {
  return command('top', 'Shows how a run with --port is, again each second, until Ctrl-C or the end of the run.', [
    'millrace top --url http://127.0.0.1:9464',
  ])
    .option('--url <address>', 'address of the run; by default the settings `host` and `port`')
    .action((flags: StatusFlags) =>
      act(flags, async () => {
        const { url, token } = await target(flags);
        const graph = await graphAt(url, token);
        for await (const picture of await picturesAt(url, token)) {
          if (process.stdout.isTTY && !flags.json) process.stdout.write(CLEAR);
          terminal.out(flags.json ? `${JSON.stringify(picture)}\n` : statusText(graph, picture));
        }
        return exitCodes.ok;
      }),
    );
}

async function target({ url }: StatusFlags) {
  const { host, port, token } = await readConfig();
  if (url === undefined && port === 0)
    throw new MillraceError('config', 'the address of the run is not known', {
      where: '--url',
      hint: 'pass --url http://HOST:PORT of a run that was started with --port, or set MILLRACE_PORT',
    });
  return { url: (url ?? `http://${host}:${port}`).replace(/\/$/, ''), token: token || undefined };
}

async function ask(url: string, path: string, token: string | undefined): Promise<Response> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}${path}`, { headers, redirect: 'error' }).catch((error: unknown) => {
    throw noAnswer(url, messageOf(error), error);
  });
  if (answer.ok) return answer;
  throw noAnswer(url, answer.status === 401 ? 'it needs the token in MILLRACE_TOKEN' : `it answers ${answer.status}`);
}

const graphAt = async (url: string, token: string | undefined): Promise<Graph> =>
  (await (await ask(url, '/graph', token)).json()) as Graph;

/** The pictures of a run, one a second, until it ends. */
const picturesAt = async (url: string, token: string | undefined): Promise<AsyncGenerator<GroupPicture>> =>
  readPictures<GroupPicture>(await ask(url, '/live', token));

const noAnswer = (url: string, why: string, cause?: unknown): MillraceError =>
  new MillraceError('config', `no run answers at ${url}: ${why}`, {
    where: '--url',
    hint: 'a run serves its state with --port',
    cause,
  });
