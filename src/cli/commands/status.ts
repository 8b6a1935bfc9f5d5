import type { Command } from 'commander';
import type { Graph } from '../../server/graph.js';
import type { GroupPicture } from '../../server/group/group-pictures.js';
import { readPictures } from '../../server/group/read-pictures.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command } from '../command.js';
import { askRun, noAnswer, type RunAddress, runAddress, URL_OPTION } from '../run/ask-run.js';
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
    .option(...URL_OPTION)
    .action((flags: StatusFlags) =>
      act(flags, async () => {
        const run = await runAddress(flags);
        const graph = await graphAt(run);
        let seen = 0;
        let last: GroupPicture | undefined;
        for await (const picture of await picturesAt(run)) {
          last = picture;
          seen += 1;
          // The first one has no rates yet.
          if (seen === 2) break;
        }
        if (!last) throw noAnswer(run.url, 'the stream ended');
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
    .option(...URL_OPTION)
    .action((flags: StatusFlags) =>
      act(flags, async () => {
        const run = await runAddress(flags);
        const graph = await graphAt(run);
        for await (const picture of await picturesAt(run)) {
          if (process.stdout.isTTY && !flags.json) process.stdout.write(CLEAR);
          terminal.out(flags.json ? `${JSON.stringify(picture)}\n` : statusText(graph, picture));
        }
        return exitCodes.ok;
      }),
    );
}

const graphAt = async (run: RunAddress): Promise<Graph> => (await (await askRun(run, '/graph')).json()) as Graph;

/** The pictures of a run, one a second, until it ends. */
const picturesAt = async (run: RunAddress): Promise<AsyncGenerator<GroupPicture>> =>
  readPictures<GroupPicture>(await askRun(run, '/live'));
