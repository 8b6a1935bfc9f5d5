import type { Command } from 'commander';
import type { GroupAnswer } from '../../server/actions/run-control.js';
import { counted } from '../../util/counted.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command } from '../command.js';
import { askRun, runAddress, URL_OPTION } from '../run/ask-run.js';

interface ControlFlags {
  readonly url?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

interface Control {
  readonly name: 'pause' | 'resume' | 'stop';
  readonly about: string;
  readonly body: object;
  said(answer: GroupAnswer): string;
}

const needs = 'The run needs --port and --allow-actions.';
const controls: readonly Control[] = [
  {
    name: 'pause',
    about: `Pauses a run in all of its processes: nothing more is read, and what was read is committed. ${needs}`,
    body: {},
    said: ({ atRest }) => `paused: ${counted(Object.keys(atRest).length, 'task')} at rest`,
  },
  { name: 'resume', about: `Lets a run that is paused go on. ${needs}`, body: {}, said: () => 'the run goes on' },
  {
    name: 'stop',
    about: `Drains, commits and ends a run in all of its processes. ${needs}`,
    body: { group: true },
    said: () => 'the run stops',
  },
];

/** `millrace pause`, `millrace resume` and `millrace stop`: what the live page does by its buttons. Exit code 1 if a process does not follow. */
export const controlCommands = controls.map(
  ({ name, about, body, said }) =>
    ({ terminal, act }: CommandContext): Command =>
      command(name, about, [`millrace ${name} --url http://127.0.0.1:9464`])
        .option(...URL_OPTION)
        .action((flags: ControlFlags) =>
          act(flags, async () => {
            const answer = (await (await askRun(await runAddress(flags), `/${name}`, body)).json()) as GroupAnswer;
            terminal.out(flags.json ? `${JSON.stringify(answer)}\n` : `${said(answer)}\n`);
            for (const missing of answer.missing) terminal.err(`warning: ${missing}\n`);
            return answer.missing.length > 0 ? exitCodes.failed : exitCodes.ok;
          }),
        ),
);
