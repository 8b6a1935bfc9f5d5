// Compiles to dist/ and copies what the compiler does not: schemas and models.
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
const asset = (path) => !/\.[^./]+$/.test(path) || /\.(avsc|proto|onnx|json|lua|html|css|js|xml)$/.test(path);
for (const folder of ['schemas', 'models', 'connectors', 'src', 'stack']) {
  cpSync(folder, `dist/${folder}`, { recursive: true, filter: asset, force: true });
}
