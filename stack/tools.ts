import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MillraceError } from '../src/core/errors.js';

const run = promisify(execFile);

/** Throws, with the command that installs it, where a program is not there; answers with what `args` print. */
export async function requireProgram(program: string, args: readonly string[], install: string): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, [...args]);
    return stdout + stderr;
  } catch (cause) {
    throw new MillraceError('config', `\`${program}\` is not installed`, { where: program, hint: install, cause });
  }
}

/** Java 17 or newer. */
export async function requireJava(): Promise<void> {
  const install =
    '`npm run setup` installs it, or `apt-get install openjdk-17-jdk-headless` (`brew install openjdk@17`)';
  const text = await requireProgram('java', ['-version'], install);
  const version = Number(/version "(\d+)/.exec(text)?.[1]);
  if (version < 17) {
    throw new MillraceError('config', `Java ${version} is too old for Kafka and the registry: they need 17`, {
      where: 'java',
      hint: install,
    });
  }
}

/** Runs Maven with a goal; its output is the cause where it fails. */
export async function maven(args: readonly string[]): Promise<void> {
  await requireProgram(
    'mvn',
    ['-version'],
    '`npm run setup` installs it, or `apt-get install maven` (`brew install maven`)',
  );
  await runToEnd('mvn', ['--batch-mode', '--quiet', '-Dstyle.color=never', ...args]);
}

/** Runs a program to its end and throws with what it printed where it failed. */
export function runToEnd(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(-4_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(new MillraceError('config', `\`${command}\` failed (${code}):\n${output.trim()}`, { where: command }));
    });
  });
}

/**
 * A folder of the cache named after its contents, filled by `fill` where it is not there yet. Filled aside and renamed
 * at the end, so that an interrupted or a concurrent start never leaves half of it.
 */
export async function cached(cache: string, name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const aside = `${folder}.${process.pid}.${createHash('sha256').update(String(process.hrtime.bigint())).digest('hex').slice(0, 6)}`;
  await mkdir(aside, { recursive: true });
  try {
    await fill(aside);
    await rename(aside, folder);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // another start was faster: its copy is as good
  }
  return folder;
}

/**
 * The folder of jars that `jars/NAME.xml` lists, with all that they need; fetched from Maven Central where they are missing,
 * and again where the list changes.
 */
export async function jars(name: string, cache: string, onFetch: () => void): Promise<string> {
  const pom = fileURLToPath(new URL(`jars/${name}.xml`, import.meta.url));
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  return cached(cache, `${name}-${digest}`, async (folder) => {
    onFetch();
    await maven(['-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`]);
  });
}

export async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
