import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  cyclesIn,
  filesUnder,
  graphOfGroups,
  importsBetween,
  loadedWith,
  readSources,
  repository,
  type SourceFile,
} from './import-graph.js';
import { mutants } from './sim/mutants.js';

// The rules of the house as assertions. A rule that must be broken somewhere is broken here, by name and with a reason.

const exist = (folders: readonly string[]) => folders.filter((folder) => existsSync(join(repository, folder)));
const product = await readSources(exist(['src', 'connectors', 'schemas', 'topologies', 'models', 'stack', 'examples']));
const tests = await readSources(exist(['test', 'benchmarks']));
const everything = new Map([...product, ...tests]);
const files = [...product.values()];

/** `src/core`, `connectors/kafka`, `topologies`: the unit that the rules speak of. */
function unitOf(path: string): string {
  const [first = '', second = '', ...deeper] = path.split('/');
  if (first !== 'src' && first !== 'connectors') return first;
  return deeper.length > 0 ? `${first}/${second}` : first;
}

const foundation = ['src/core', 'src/util'];
const middle = [...foundation, 'src/state', 'src/schema', 'src/topology', 'src/aggregates', 'src/ml', 'src/operators'];
const engine = [...middle, 'src/inference', 'src/runtime'];
const world = [...engine, 'connectors', 'src/connect', 'src/profiles', 'src/topics'];

/** What each unit may import besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/core': [],
  'src/util': ['src/core'],
  'src/state': foundation,
  'src/aggregates': foundation,
  'src/schema': foundation,
  'src/topology': foundation,
  'src/ml': [...foundation, 'src/state', 'src/aggregates'],
  'src/operators': [...foundation, 'src/state', 'src/aggregates', 'src/ml'],
  'src/inference': middle,
  'src/runtime': [...middle, 'src/inference'],
  'src/connect': [...foundation, 'src/schema'],
  'src/testing': engine,
  'src/server': [...engine],
  // Where profiles, inference, runtime and monitoring are put together.
  'src/run': [...world, 'src/server', 'src/checkpoints'],
  'src/profiles': [...engine, 'src/connect', 'connectors'],
  'src/topics': [...engine, 'connectors', 'src/profiles'],
  'src/checkpoints': world,
  'src/feature-store': [...world, 'src/checkpoints'],
  'src/verify': world,
  'src/evaluate': world,
  // The composition root: where topologies, connectors and the engine meet.
  'src/cli': [
    ...world,
    'src/checkpoints',
    'src/feature-store',
    'src/server',
    'src/run',
    'src/verify',
    'src/evaluate',
    'examples',
    'topologies',
    'schemas',
  ],
  // The entry points of the package, one file each; what `millrace` itself loads is held to account below.
  src: [...engine, 'src/profiles', 'src/connect', 'src/run', 'src/server', 'src/testing'],
  connectors: [...foundation, 'src/schema', 'src/connect'],
  'connectors/s3': [...foundation, 'src/schema', 'src/connect', 'connectors/file'], // objects hold the rows that files do
  schemas: ['src/schema'],
  topologies: ['schemas'],
  examples: [...world, 'src/server', 'topologies', 'schemas'],
  models: [...world, 'examples', 'topologies', 'schemas'], // scripts that train, run by hand
  stack: [...foundation, 'connectors/clickhouse'],
};

/** Packages and the only places that may import them. */
const homes: Readonly<Record<string, readonly string[]>> = {
  rxjs: ['src/runtime', 'topologies'],
  'onnxruntime-node': ['src/inference'],
  '@confluentinc/schemaregistry': ['src/schema'],
  '@node-rs/crc32': ['connectors/kafka'],
  '@platformatic/kafka': ['connectors/kafka'],
  '@toondepauw/node-zstd': ['connectors/kafka', 'connectors/file'],
  fzstd: ['connectors/file'],
  pg: ['connectors/postgres'],
  '@aws-sdk/client-s3': ['connectors/s3'],
  hyparquet: ['connectors/file'],
  'hyparquet-writer': ['connectors/file'],
  kafkajs: ['connectors/kafka'],
  snappy: ['connectors/kafka', 'connectors/file'],
  'lz4-napi': ['connectors/kafka'],
  ioredis: ['connectors/redis'],
  '@clickhouse/client': ['connectors/clickhouse'],
  // The stack's host serves the engine over HTTP where no ClickHouse server can be installed.
  chdb: ['connectors/clickhouse', 'stack'],
  lmdb: ['src/profiles'],
  '@datadog/sketches-js': ['src/aggregates'],
  avsc: ['src/schema'],
  eld: ['src/operators'],
  '@huggingface/tokenizers': ['src/operators'],
  '@noble/ciphers': ['src/operators'],
  sharp: ['src/operators'],
  ajv: ['src/schema'],
  'ajv-formats': ['src/schema'],
  protobufjs: ['src/schema'],
  msgpackr: ['src/state', 'src/profiles'],
  commander: ['src/cli', 'stack'],
  '@clack/prompts': ['src/cli'],
  '@dagrejs/dagre': ['src/server'],
  fastify: ['src/server', 'stack'],
  pino: ['src/cli'],
  'prom-client': ['src/server'],
  tsx: ['src/cli', 'src/inference'],
  'tz-lookup': ['examples'],
  'vega-datasets': ['examples'],
};

const pure = ['src/core', 'src/aggregates', 'src/topology', 'src/operators', 'src/ml', 'src/state', 'src/schema'];
const worldly =
  /\bconsole\.|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.|\bperformance\.now\b/;

/** Published files whose tests are another file's, with the reason. */
const testedElsewhere: Readonly<Record<string, string>> = {
  'src/ml/optimizers/ftrl.ts':
    'an optimizer predicts nothing: test/ml/learners/linear/logistic-regression.test.ts runs each',
  'src/ml/optimizers/sgd.ts': 'likewise',
  'src/ml/optimizers/momentum.ts': 'likewise',
  'src/ml/optimizers/ada-grad.ts': 'likewise',
  'src/ml/optimizers/rms-prop.ts': 'likewise',
  'src/ml/optimizers/adam.ts': 'likewise',
  'src/ml/evaluation/judges.ts': 'what a scoreboard shows: test/ml/evaluation/scoreboard.test.ts',
  'src/ml/evaluation/baseline-cells.ts': 'the state of baselines: test/ml/evaluation/baselines.test.ts',
  'src/operators/quality/expectations.ts': 'what validate checks: test/operators/quality/validate.test.ts',
  'src/operators/quality/window-expectations.ts':
    'what validateWindows checks: test/operators/quality/validate-windows.test.ts',
  'src/operators/quality/bands.ts': 'where values usually lie: test/operators/quality/clip.test.ts',
  'src/operators/ml/scalers.ts': 'how standardize scales: test/operators/ml/standardize.test.ts',
  'src/operators/quality/repairs.ts': 'what repair applies: test/operators/quality/repair.test.ts',
  'src/operators/window/spec.ts': 'what window runs: test/operators/window/window.test.ts',
  'src/operators/window/emit-strategy.ts': 'likewise',
  'src/operators/pattern/pattern.ts': 'what match runs: test/operators/pattern/match.test.ts',
  'src/operators/pattern/skip.ts': 'likewise',
};

/** Files over 400 lines, with the reason. */
const long: Readonly<Record<string, string>> = {};

describe('imports', () => {
  it('run one way', () => {
    const wrong = files.flatMap(({ path, imports }) => {
      const from = unitOf(path);
      const allowed = mayImport[from] ?? mayImport[from.split('/')[0] ?? ''] ?? [];
      return imports
        .filter(({ isLocal }) => isLocal)
        .map(({ target }) => ({ target, to: unitOf(target) }))
        .filter(({ to }) => to !== from && !allowed.includes(to) && !allowed.includes(to.split('/')[0] ?? ''))
        .map(({ target }) => `${path} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('have no cycles', () => {
    expect(cyclesIn(importsBetween(everything))).toEqual([]);
  });

  it('have no cycles between folders', () => {
    // Topologies and examples import the package by its name: that leads to its entry points.
    const entryOf = (name: string) =>
      name.startsWith('millrace/connectors/') ? `${name.slice('millrace/'.length)}/index.ts` : 'src/index.ts';
    const edgesOf = ({ imports }: SourceFile) =>
      imports.flatMap(({ target, isLocal }) => {
        if (isLocal) return [target];
        return /^millrace(\/|$)/.test(target) ? [entryOf(target)] : [];
      });
    const graph = new Map([...product].map(([path, file]) => [path, edgesOf(file)]));
    expect(cyclesIn(graphOfGroups(graph, unitOf))).toEqual([]);
  });

  it('lead to files that exist', () => {
    const broken = [...everything.values()].flatMap(({ path, imports }) =>
      imports
        .filter(({ target, isLocal }) => isLocal && !existsSync(join(repository, target)))
        .map(({ target }) => `${path} -> ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('keep every package in its home', () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports
        .filter(({ target, isLocal }) => !isLocal && !/^(node:|millrace(\/|$))/.test(target))
        .filter(({ target }) => !homes[target]?.includes(unitOf(path)))
        .map(({ target }) => `${path} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('use only packages that package.json declares', () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    const declared = { ...dependencies, ...peerDependencies };
    const used = new Set(files.flatMap(({ imports }) => imports.filter((i) => !i.isLocal).map(({ target }) => target)));
    const undeclared = [...used].filter((name) => !/^(node:|millrace(\/|$))/.test(name) && !(name in declared));
    expect(undeclared).toEqual([]);
  });

  it('of topologies are the public API, connectors, schemas, siblings and rxjs', () => {
    const wrong = files
      .filter(({ path }) => path.startsWith('topologies/'))
      .flatMap(({ path, imports }) => imports.map(({ target }) => ({ path, target })))
      .filter(
        ({ target }) =>
          !/^(millrace(\/(connectors\/[a-z]+|ml|window|operator))?|rxjs|schemas\/.+|topologies\/.+)$/.test(target),
      );
    expect(wrong).toEqual([]);
  });

  it('of src never lead to what is shipped for tests', () => {
    const wrong = files.filter(
      ({ path, imports }) =>
        !/^src\/testing[/.]/.test(path) && imports.some(({ target }) => target.startsWith('src/testing/')),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('of what a topology file loads bring no client and no native module', () => {
    const entries = [
      ...['index', 'window', 'ml', 'operator', 'connect'].map((name) => `src/${name}.ts`),
      ...['kafka', 'redis', 'clickhouse', 'file', 'postgres', 'http', 's3'].map(
        (name) => `connectors/${name}/index.ts`,
      ),
    ];
    const light = ['rxjs', 'avsc', 'msgpackr', '@datadog/sketches-js'];
    const heavy = entries.flatMap((entry) =>
      [...loadedWith(product, entry)]
        .filter((target) => target in homes && !light.includes(target))
        .map((target) => `${entry} => ${target}`),
    );
    expect(heavy).toEqual([]);
  });

  it('of the command line bring a parser of arguments and nothing else before a command runs', () => {
    const loaded = [...loadedWith(product, 'src/cli/program.ts')].filter((target) => target in homes);
    expect(loaded).toEqual(['commander']);
  });
});

describe('mutants of the simulation', () => {
  it('change what stands in the runtime, once', () => {
    const gone = mutants.flatMap(({ name, patches }) =>
      patches
        .filter(({ file, from }) => product.get(join('src/runtime', file))?.text.split(from).length !== 2)
        .map(({ file, from }) => `${name}: ${file} has not "${from}" once`),
    );
    expect(gone).toEqual([]);
  });
});

describe('files', () => {
  it('have no default exports', () => {
    const wrong = [...everything.values()].filter(({ exports }) => exports.includes('default'));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('of pure folders know no clock, chance, timer, environment or console', () => {
    const wrong = files
      .filter(({ path }) => pure.includes(unitOf(path)))
      .flatMap(({ path, text }) => {
        const found = worldly.exec(codeOf(text));
        return found ? [`${path}: ${found[0]}`] : [];
      });
    expect(wrong).toEqual([]);
  });

  it('cast nothing through unknown', () => {
    const wrong = files.filter(({ text }) => codeOf(text).includes('as unknown as'));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('are called in kebab-case', () => {
    const wrong = [...everything.keys()].filter(
      (path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.ts$/.test(basename(path)),
    );
    expect(wrong).toEqual([]);
  });

  it('are short, or say why not', () => {
    const lines = ({ text }: { readonly text: string }) => text.split('\n').length - 1;
    const tooLong = files.filter((file) => lines(file) > 400 && !(file.path in long));
    expect(tooLong.map((file) => `${file.path}: ${lines(file)} lines`)).toEqual([]);
    const noLonger = Object.keys(long).filter((path) => lines(product.get(path) ?? { text: '' }) <= 400);
    expect(noLonger).toEqual([]);
  });

  it('of one level of a folder are 25 at most', () => {
    const counts = new Map<string, number>();
    for (const { path } of files) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    const crowded = [...counts].filter(([folder, count]) => /^(src|connectors)\b/.test(folder) && count > 25);
    expect(crowded).toEqual([]);
  });

  it('name no machine', () => {
    const documents = filesUnder(
      exist([
        'src',
        'connectors',
        'schemas',
        'topologies',
        'models',
        'stack',
        'examples',
        'test',
        'benchmarks',
        'docs',
        'scripts',
        '.ci',
      ]),
      (name) => /\.(ts|mjs|js|json|md|py|lua|yml|xml|sh|txt)$|^run$/.test(name),
    );
    const top = [
      'README.md',
      'ARCHITECTURE.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'GLOSSARY.md',
      'package.json',
      'docker-compose.yml',
    ];
    // Put together here, so that this file does not find itself.
    const personal = new RegExp(`(^|[\\s'"\`(=:])/(${['work', 'home', 'root', 'Users'].join('|')})/`, 'm');
    const wrong = [...documents, ...exist(top)].filter((path) =>
      personal.test(readFileSync(join(repository, path), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it('leave nothing for later', () => {
    const later = new RegExp(`\\b(${['TO', 'DO|FIX', 'ME|XX', 'X'].join('')})\\b`);
    expect(files.filter(({ text }) => later.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('tests', () => {
  it('exist beside every operator, aggregate, learner and metric', () => {
    const missing = ['src/operators', 'src/aggregates', 'src/ml', 'src/ml/drift', 'src/ml/metrics']
      .flatMap((folder) => product.get(`${folder}/index.ts`)?.republishes ?? [])
      .filter((path) => !(path in testedElsewhere))
      .map((path) => path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts'))
      .filter((path) => !existsSync(join(repository, path)));
    expect([...new Set(missing)]).toEqual([]);
  });

  it('exist for every connector', () => {
    const connectors = new Set(files.map(({ path }) => unitOf(path)).filter((unit) => unit.startsWith('connectors/')));
    const missing = [...connectors].filter(
      (unit) => ![...tests.keys()].some((path) => path.startsWith(`test/${unit}/`)),
    );
    expect(missing).toEqual([]);
  });

  it('are all run', () => {
    const wrong = [...tests.values()].filter(({ text }) =>
      /\b(?:it|test|describe|suite)\.(?:skip|only|todo|fails)\b/.test(codeOf(text)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});
