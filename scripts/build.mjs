// Compiles to dist/ and copies what the compiler does not: schemas and models. With `--changed` only if something has changed since.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

function build() {
  const began = new Date();
  rmSync(STAMP, { force: true });
  rmSync('dist', { recursive: true, force: true });
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  });
  const asset = (path) => !/\.[^./]+$/.test(path) || /\.(avsc|proto|onnx|json|lua|html|css|js|xml)$/.test(path);
  for (const folder of ['schemas', 'models', 'connectors', 'src', 'stack']) {
    cpSync(folder, `dist/${folder}`, { recursive: true, filter: asset, force: true });
  }
  mkdirSync('.millrace', { recursive: true });
  writeFileSync(STAMP, '');
  utimesSync(STAMP, began, began); // what changes during a build is not in it
}

if (!process.argv.includes('--changed') || !isBuilt()) build();
