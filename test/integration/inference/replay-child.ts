// A run that scores rows with four models: undisturbed, or with a cache and either a memory that does not hold all models, or worker
// processes that are killed by chance. It prints what has happened so far, until it ends or is killed itself.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { infer, json, map, millis, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { start } from 'millrace/run';
import { generator } from '../../random.js';
import { type Happened, type How, MODEL_BYTES, type Row, WIDTH } from './replay-shape.js';

const [data, models, how, seed] = process.argv.slice(2) as [string, string, How, string];
const random = generator(Number(seed));

const limits = { batchMax: 16, waitMax: millis(2), providers: ['cpu'] } as const;
const options = { ...limits, ...(how !== 'undisturbed' && { cacheBytesMax: 100_000 }) };
const modelAt = (name: string) => pathToFileURL(join(models, `${name}.onnx`));

const flow = topology('replay', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('rows', kafka.source({ topic: 'rows', schema: json<Row>() }))
    .via(
      'features',
      map(({ id, from }: Row) => {
        const dense = Float32Array.from({ length: WIDTH }, (_, i) => Math.sin(from * WIDTH + i));
        return {
          id,
          features: { view: 'v', hash: 'h', dense, indices: new Uint32Array(), values: new Float32Array() },
        };
      }),
    )
    .via(
      'first',
      infer({
        ...{ ...options, model: modelAt('dear'), as: 'first' },
        cascade: { model: modelAt('cheap'), below: 0.33, above: 0.36 },
      }),
    )
    .via('second', infer({ ...options, model: modelAt('second'), as: 'second' }))
    .via('third', infer({ ...options, model: modelAt('third'), as: 'third' }))
    .via(
      'out-rows',
      map(({ id, first, second, third }) => ({ id, first, second, third })),
    )
    .to('out', kafka.sink({ topic: 'out', schema: json() }));
});

const app = await start(flow, {
  ...{ data, env: {}, untilEnd: true, epochInterval: millis(40), roundMax: 40 },
  ...(how === 'evictions' && { inferenceMemoryMax: 3 * MODEL_BYTES }),
  ...(how === 'kills' && { inferenceWorkers: 2, inferenceIsolation: 'process' }),
});

/** The inference workers of this process. */
function workers(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number);
  return children.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('inference/workers/worker');
    } catch {
      return false; // it has ended
    }
  });
}

let kills = 0;
let killAtRows = 0;

/** Kills a worker whenever some rows were answered: with less between kills no model would be loaded. */
function killOne(rows: number): void {
  if (rows < killAtRows) return;
  const alive = workers();
  const pid = alive[Math.floor(random() * alive.length)];
  if (pid === undefined) return;
  process.kill(pid, 'SIGKILL');
  kills++;
  killAtRows = rows + 300 + random() * 900;
}

function look(): void {
  const { models: reports } = app.snapshot();
  const sum = (of: (report: (typeof reports)[number]) => number) =>
    reports.reduce((total, each) => total + of(each), 0);
  const rows = sum((report) => report.rows);
  if (how === 'kills') killOne(rows);
  const happened: Happened = {
    ...{ kills, rows, lost: sum(({ lost }) => lost), evictions: sum(({ evictions }) => evictions) },
    hits: sum(({ cache }) => cache?.hits ?? 0),
  };
  process.stdout.write(`${JSON.stringify(happened)}\n`);
}

const looking = setInterval(look, 20);
await app.finished;
clearInterval(looking);
look();
