import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { MillraceError } from '../../core/errors.js';
import { type CommandContext, command } from '../command.js';
import { installStep } from '../own-package.js';
import { nextSteps, starterFiles } from '../starter/index.js';
import { exitCodes } from '../terminal.js';

/** `millrace init`: a first topology to run, read and change. */
export function initCommand({ terminal, act }: CommandContext): Command {
  return command('init', 'Writes a first topology with schemas, sample events and a test. Asks nothing.', [
    'millrace init',
    'millrace init my-stream',
  ])
    .argument('[dir]', 'folder to write to; it is created where it is missing', '.')
    .action((folder: string, style: { json?: boolean; verbose?: boolean }) =>
      act(style, async () => {
        const written = writeStarter(folder);
        const steps = nextSteps.map((step) => `npx ${step}`);
        const install = installStep(folder);
        if (install !== undefined) steps.unshift(install);
        if (folder !== '.') steps.unshift(`cd ${folder}`);
        if (style.json) terminal.out(`${JSON.stringify({ folder, written, nextSteps: steps })}\n`);
        else {
          const list = (items: readonly string[]) => items.map((item) => `  ${item}`).join('\n');
          terminal.out(`written to ${folder}:\n${list(written)}\n\nnext:\n${list(steps)}\n`);
        }
        return exitCodes.ok;
      }),
    );
}

/** Writes all files or none: what is there already is never overwritten, except that its package.json may stay. */
function writeStarter(folder: string): string[] {
  const files = [...starterFiles()].filter(([name]) => name !== 'package.json' || !existsSync(join(folder, name)));
  const taken = files.map(([name]) => name).filter((name) => existsSync(join(folder, name)));
  if (taken.length > 0) {
    throw new MillraceError('config', `there already: ${taken.join(', ')}`, {
      where: folder,
      hint: 'choose an empty folder: millrace init my-stream',
    });
  }
  for (const [name, text] of files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return files.map(([name]) => name);
}
