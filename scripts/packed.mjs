// Packs the package, installs it in an empty folder, and uses it there as a stranger would: a first topology as the README has
// it, then the examples of parts of one's own and of a service, which see nothing but the package. `node scripts/packed.mjs`.
import { execFileSync, execSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openBrowser, openPage } from './browser.mjs';
import { build } from './dockerfile.mjs';
import { linksOf, pack } from './pack.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));
const temp = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-packed-')));
const fresh = join(temp, 'fresh');
const NOBODY = 65_534;
// npm reads the first from the user's side: onnxruntime-node would fetch CUDA libraries otherwise.
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };

const shell = (command, cwd = fresh) => {
  console.log(`$ ${command}`);
  execSync(command, { cwd, env, stdio: 'inherit' });
};
const outputOf = (command) => {
  console.log(`$ ${command}`);
  const text = execSync(command, { cwd: fresh, env, encoding: 'utf8' });
  process.stdout.write(text);
  return text;
};
const expectIn = (text, ...parts) => {
  for (const part of parts) if (!text.includes(part)) throw new Error(`"${part}" is missing`);
};

let packed = '';
try {
  mkdirSync(fresh);
  packed = pack(temp, env);
  shell(`npm install --no-fund --no-audit ${packed}`);
  installed();
  documents();
  firstTopology();
  await livePage();
  await container();
  examples();
  ownParts();
} finally {
  rmSync(temp, { recursive: true, force: true });
}

/** What a topology on Kafka, Redis and a ClickHouse server needs: more than this wants a reason. ONNX Runtime alone takes 290 MB. */
function installed() {
  const packages = outputOf('npm ls --all --parseable').trim().split('\n').length - 1;
  const megabytes = (path) => Number(outputOf(`du -sm ${path}`).split('\t')[0]);
  const size = megabytes('node_modules') - megabytes('node_modules/onnxruntime-node');
  console.log(`${packages} packages, ${size} MB without ONNX Runtime`);
  if (packages > 150 || size > 120) throw new Error('more than 150 packages or 120 MB');
}

/** A reader of the package has no repository. */
function documents() {
  const { links, dead } = linksOf(join(fresh, 'node_modules/millrace'));
  console.log(`${links.length} links of documents, ${dead.length} dead`);
  if (links.length < 300 || dead.length > 0)
    throw new Error(dead.map(({ path, target }) => `${path} -> ${target}`).join('\n'));
}

/** In a folder below, which says how what is missing gets to where Millrace is; then in the folder itself. */
function firstTopology() {
  for (const folder of ['below', '.']) {
    const { nextSteps } = JSON.parse(
      execSync(`npx --no-install millrace init --yes --json ${folder}`, { cwd: fresh, env, encoding: 'utf8' }),
    );
    const cwd = join(fresh, folder);
    for (const step of nextSteps)
      if (!step.startsWith('cd ')) shell(/^np[mx] /.test(step) ? step : `npx --no-install ${step}`, cwd);
  }
  shell('npm test --silent');
  shell('npm run --silent typecheck');
}

/** The page of a run, in a browser that finds no host but this one. */
async function livePage() {
  console.log('$ millrace run payments.ts --port PORT, and its page in a browser');
  const main = join(fresh, 'node_modules/millrace/dist/src/cli/main.cjs');
  const port = await freePort();
  const run = spawn(process.execPath, [main, 'run', 'payments.ts', '--port', String(port)], {
    cwd: fresh,
    env,
    stdio: 'ignore',
  });
  const browser = await openBrowser();
  try {
    const url = `http://127.0.0.1:${port}`;
    while (!(await fetch(`${url}/health/ready`).catch(() => undefined))?.ok) {
      if (run.exitCode !== null) throw new Error(`the run ended with ${run.exitCode}`);
      await setTimeout(100);
    }
    const { page, problems } = await openPage(browser, url);
    await page.locator('[data-is=ok]').waitFor();
    expectIn(await page.locator('#inputs').textContent(), 'payments', 'reviews', 'at its end');
    await page.locator('.node', { hasText: 'step dedupe' }).click();
    expectIn(await page.locator('#drawer').textContent(), 'keysMax', 'a second');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Look' }).click();
    await page.getByText('dead letters in payments.dead').waitFor();
    await page.getByLabel('Key, id or').fill('payments.v1/0/0');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.locator('#record-rows', { hasText: 'payments: read and committed; then dedupe' }).waitFor();
    await page.locator('#lag-line path[d^=M]').waitFor({ state: 'attached' });
    if (problems.length > 0) throw new Error(problems.join('\n'));
  } finally {
    await browser.close();
    run.kill('SIGTERM');
    if (run.exitCode === null) await once(run, 'exit');
  }
}

/** The image of a topology on Kafka, but for its base: by a user who may write to the data and to no other folder. */
async function container() {
  const shop = join(temp, 'shop');
  const data = join(temp, 'data');
  mkdirSync(shop);
  const main = join(fresh, 'node_modules/millrace/dist/src/cli/main.cjs');
  const inShop = (command) => {
    console.log(`$ ${command}`);
    execSync(command.replace(/^millrace/, `node ${main}`), { cwd: shop, env, stdio: 'inherit' });
  };
  const orders = [1, 2, 3].map((n) => `${JSON.stringify({ id: `o${n}`, amount: n, at: `2026-01-0${n}T00:00:00Z` })}\n`);
  writeFileSync(join(shop, 'orders.ndjson'), orders.join(''));
  inShop('millrace init --from kafka:orders.v1 --schema orders.ndjson --do route --to kafka --docker');
  inShop(`npm install --package-lock-only --silent ${packed}`);
  inShop(`millrace produce orders.v1 --key id --data ${data} < orders.ndjson`);
  console.log('$ docker build and docker run, without Docker');
  chmodSync(temp, 0o755);
  const image = build(shop, join(temp, 'images'), env);
  const node = join(temp, 'node'); // that of the tests may lie where only its owner may look
  cpSync(process.execPath, node);
  const isRoot = process.getuid() === 0;
  if (isRoot) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, data]);
  const port = await freePort();
  const start = ([, ...args]) =>
    spawn(node, args, {
      cwd: image.folder,
      env: { ...image.env, MILLRACE_PROFILE: 'embedded', MILLRACE_DATA: data, MILLRACE_PORT: String(port) },
      stdio: 'inherit',
      ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });
  const codeOf = async (child) => child.exitCode ?? (await once(child, 'exit'))[0];
  const run = start(image.command);
  while ((await codeOf(start(image.healthCheck))) !== 0) {
    if (run.exitCode !== null) throw new Error(`the container ended with ${run.exitCode}`);
    await setTimeout(500);
  }
  run.kill('SIGTERM');
  const code = await codeOf(run);
  if (code !== 0) throw new Error(`the container ended with ${code} upon SIGTERM`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Their types, by this repository's compiler, and their tests, by Node's own runner. */
function examples() {
  for (const name of ['extend', 'embed'])
    cpSync(join(fresh, 'node_modules/millrace/docs/examples', name), join(fresh, name), { recursive: true });
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(repository, 'node_modules/@types')],
  };
  writeFileSync(
    join(fresh, 'package.json'),
    JSON.stringify({ ...JSON.parse(readFileSync(join(fresh, 'package.json'))), type: 'module' }),
  );
  // The declarations of every entry point, also for those who have their compiler check libraries.
  const { exports } = JSON.parse(readFileSync(join(repository, 'package.json')));
  const connectors = readdirSync(join(repository, 'connectors')).map((name) => `./connectors/${name}`);
  const entries = [...Object.keys(exports).filter((path) => exports[path].types && !path.includes('*')), ...connectors];
  writeFileSync(
    join(fresh, 'all.ts'),
    entries.map((path, i) => `export * as e${i} from 'millrace${path.slice(1)}';\n`).join(''),
  );
  writeFileSync(
    join(fresh, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['extend', 'embed', 'all.ts'] }),
  );
  shell(`node ${join(repository, 'node_modules/typescript/bin/tsc')} -p .`);
  shell('node --import tsx --test extend/*.test.ts embed/*.test.ts');
}

/** A topology of parts of one's own, by the command. */
function ownParts() {
  const write = (name, rows) => {
    mkdirSync(join(fresh, 'data', name, '..'), { recursive: true });
    writeFileSync(join(fresh, 'data', name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  };
  const trades = Array.from({ length: 300 }, (_, id) => ({
    id,
    symbol: 'AB'[id % 2],
    price: 10 + (id % 7),
    size: 1 + (id % 3),
    at: id * 1_000,
  }));
  write('trades/0.ndjson', trades);
  write(
    'outcomes/0.ndjson',
    trades.map(({ id, size, at }) => ({ trade: id, rose: size > 1, at: at + 500 })),
  );
  write('companies.ndjson', [
    { symbol: 'A', sector: 'tools' },
    { symbol: 'B', sector: 'toys' },
  ]);
  expectIn(outputOf('npx --no-install millrace check extend/trades.ts'), 'no problems found');
  expectIn(
    outputOf('npx --no-install millrace describe extend/trades.ts'),
    'lines.sink',
    'lines.source',
    'since-last',
    'passive-aggressive',
    'exactly-once',
  );
  expectIn(
    outputOf('npx --no-install millrace connectors list --file extend/lines/index.ts'),
    'lines.source',
    'lines.sink',
    'lines.lookup',
  );
  outputOf('npx --no-install millrace run extend/trades.ts --until-end --drain');
  const rows = (name) =>
    readdirSync(join(fresh, 'data', name))
      .sort()
      .flatMap((file) =>
        readFileSync(join(fresh, 'data', name, file), 'utf8')
          .trim()
          .split('\n'),
      )
      .map((line) => JSON.parse(line));
  const predictions = rows('predictions');
  if (predictions.length !== trades.length)
    throw new Error(`${predictions.length} predictions of ${trades.length} trades`);
  const late = predictions.slice(-100);
  const right = late.filter(({ id, rises }) => rises.probability > 0.5 === trades[id].size > 1).length;
  if (right < 90) throw new Error(`the learner is right about ${right} of the last 100`);
  const inputs = '--input trades=data/trades/0.ndjson --input outcomes=data/outcomes/0.ndjson';
  expectIn(outputOf(`npx --no-install millrace verify extend/trades.ts ${inputs} --kills 1`), 'nothing lost');
  if (rows('prices').length !== 10) throw new Error(`${rows('prices').length} prices of 5 minutes and 2 symbols`);
}
