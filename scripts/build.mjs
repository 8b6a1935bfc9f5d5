// Compiles to dist/ and copies what the compiler does not: schemas and models. With `--changed` only if something has changed since, and
// topologies may have errors: npm calls that before `npx millrace`, which names them, and npm itself would end without a word.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const onlyChanged = process.argv.includes('--changed');
const STAMP = '.millrace/built';
const sources = ['src', 'connectors', 'schemas', 'topologies', 'models', 'stack', 'examples'];
const settings = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json', 'scripts/build.mjs'];

const isBuilt = () => existsSync('dist') && existsSync(STAMP) && statSync(STAMP).mtimeMs > changedMs();

/** When one of these was last written; folders tell of files that are gone. */
function changedMs() {
  const below = (folder) => readdirSync(folder, { recursive: true }).map((path) => join(folder, path));
  const paths = [...sources, ...sources.flatMap(below), ...settings];
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
}

/** Ends the process if there are errors that no command can name. */
function compile() {
  const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--pretty', 'false'];
  const { status, stdout, error } = spawnSync(process.execPath, tsc, {
    encoding: 'utf8',
    stdio: [0, 'pipe', 'inherit'],
  });
  if (error) throw error;
  if (status === 0) return;
  process.stderr.write(stdout);
  const files = stdout.split('\n').flatMap((line) => /^(\S.*)\(\d+,\d+\): error /.exec(line)?.[1] ?? []);
  if (onlyChanged && files.length > 0 && files.every((file) => file.startsWith('topologies/'))) return;
  process.exit(1);
}

function build() {
  const began = new Date();
  rmSync(STAMP, { force: true });
  rmSync('dist', { recursive: true, force: true });
  compile();
  const asset = (path) => !/\.[^./]+$/.test(path) || /\.(avsc|proto|onnx|json|lua|html|css|js|xml)$/.test(path);
  for (const folder of ['schemas', 'models', 'connectors', 'src', 'stack']) {
    cpSync(folder, `dist/${folder}`, { recursive: true, filter: asset, force: true });
  }
  chmodSync('dist/src/cli/main.cjs', 0o755); // npm does that once, when it makes the command
  mkdirSync('.millrace', { recursive: true });
  writeFileSync(STAMP, '');
  utimesSync(STAMP, began, began); // what changes during a build is not in it
}

if (!onlyChanged || !isBuilt()) build();
