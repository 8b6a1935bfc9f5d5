// What `docker build` makes of a Dockerfile, as far as it goes without Docker: images are folders, and commands run here. Instructions are
// those that `millrace init --docker` writes, one a line; a base image is not looked at.
import { execSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join, matchesGlob } from 'node:path';

/** Copies and runs what the file in `context` says, below `folder`. Returns the last image: its folder, variables and commands. */
export function build(context, folder, env) {
  const ignored = readFileSync(join(context, '.dockerignore'), 'utf8').trim().split('\n');
  const images = [];
  for (const [name, argument] of instructions(readFileSync(join(context, 'Dockerfile'), 'utf8'))) {
    const image = images.at(-1);
    if (name === 'FROM') {
      const made = { name: / AS (\w+)$/.exec(argument)?.[1], folder: join(folder, String(images.length)), env: {} };
      mkdirSync(made.folder, { recursive: true });
      images.push(made);
    } else if (name === 'COPY') copy(argument.split(' '), image);
    else if (name === 'RUN') execSync(argument, { cwd: image.folder, env, stdio: 'inherit' });
    else if (name === 'ENV') for (const pair of argument.split(' ')) image.env[pair.split('=')[0]] = pair.split('=')[1];
    else if (name === 'USER') image.user = argument;
    else if (name === 'CMD') image.command = JSON.parse(argument);
    else if (name === 'HEALTHCHECK') image.healthCheck = JSON.parse(argument.slice(argument.indexOf('[')));
    else if (name !== 'WORKDIR' && name !== 'EXPOSE') throw new Error(`${name} is not known here`);
  }
  return images.at(-1);

  function copy(words, { folder: target }) {
    const from = words[0].startsWith('--from=') ? images.find(({ name }) => name === words[0].slice(7)) : undefined;
    const [paths, to] = [words.slice(from ? 1 : 0, -1), words.at(-1)];
    for (const path of paths) {
      // Not needed there any more, and large.
      if (from) renameSync(join(from.folder, path.replace('/app/', '')), join(target, to));
      else if (path !== '.') cpSync(join(context, path), join(target, to, basename(path)), { recursive: true });
      else
        for (const file of readdirSync(context))
          if (!ignored.some((pattern) => matchesGlob(file, pattern)))
            cpSync(join(context, file), join(target, to, file), { recursive: true });
    }
  }
}

const instructions = (text) =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]);
