import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { definition as clickhouse } from '../../connectors/clickhouse/definition.js';
import { FlightArrivedV1 } from '../../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import type { Duration } from '../../src/core/duration.js';
import { createInference } from '../../src/inference/index.js';
import type { OpenProfile } from '../../src/profiles/profiles.js';
import { type EpochPoint, type Running, runTopology, systemClock } from '../../src/runtime/index.js';
import { openCodec } from '../../src/schema/index.js';
import { serveMonitoring } from '../../src/server/http.js';
import { onInterrupt } from '../../src/util/interrupt.js';
import { makePrivateFolder } from '../../src/util/private-files.js';
import type { Terminal } from '../../src/util/terminal.js';
import { flightDelays } from '../../topologies/flight-delays.js';
import { flightFiles, readFlights, readFlightsAlone } from './flights.js';
import { loadFlights } from './loader.js';
import { type Manifest, recordsIn } from './manifest.js';
import { progressWriter } from './progress.js';
import { snapshotOf } from './progress-snapshot.js';
import { type FlightReport, makeReport } from './report.js';
import { reportHtml } from './report-html.js';
import { reportText } from './report-text.js';

export interface DemoOptions {
  readonly limit: number;
  /** Records a second of both topics together; as fast as it goes where it is missing. */
  readonly rate?: number | undefined;
  readonly clean: boolean;
  readonly seed: number;
  /** Begin anew: everything in `data` is removed first. */
  readonly fresh: boolean;
  readonly json: boolean;
  /** Folder of the report and, on the embedded profile, of logs, state and tables. */
  readonly data: string;
  readonly terminal: Terminal;
  /** Opens the profile on a folder. */
  readonly openProfile: (data: string) => Promise<OpenProfile>;
  /** The port of the live page; 0, as by default, opens none. */
  readonly port?: number;
  /** Serve the page until Ctrl-C, also when all flights are through. */
  readonly stays?: boolean;
  /** Fill the topics and end. */
  readonly loadOnly?: boolean;
  /** How often a task commits; for tests. */
  readonly epochInterval?: Duration;
  /** Called at the named points of every epoch; for tests. */
  readonly onPoint?: (point: EpochPoint, task: number) => void;
}

const PROGRESS_EVERY_MS = 500;

/**
 * The main job: real flights, with some corruption, through `topologies/flight-delays.ts` to a report. What was done stays in
 * `data`, so a run that was stopped, or killed, goes on where it was.
 */
export async function runDemo(options: DemoOptions): Promise<FlightReport | undefined> {
  const { data, fresh, terminal } = options;
  if (fresh) await rm(data, { recursive: true, force: true });
  makePrivateFolder(data);
  const profile = await options.openProfile(data);
  try {
    const manifest = await load(options, profile);
    if (!manifest.complete || options.loadOnly) {
      terminal.err(manifest.complete ? 'the topics are filled\n' : 'stopped; the same command goes on from here\n');
      return undefined;
    }
    const ran = await run(options, profile, manifest);
    if (!ran.finished) {
      terminal.err('stopped and committed; the same command goes on from here\n');
      return undefined;
    }
    return await report(options, profile, manifest, ran);
  } finally {
    await profile.close();
  }
}

async function load(options: DemoOptions, profile: OpenProfile): Promise<Manifest> {
  const { limit, seed, clean, data, terminal } = options;
  const abort = new AbortController();
  const forget = onInterrupt(terminal, () => abort.abort());
  const producer = profile.producer();
  const { tables } = await profile.connect(clickhouse);
  try {
    return await loadFlights({
      limit,
      seed,
      clean,
      manifestFile: join(data, 'manifest.json'),
      producer,
      encoders: {
        departed: await openCodec(FlightDepartedV1, profile.schemas),
        arrived: await openCodec(FlightArrivedV1, profile.schemas),
      },
      endOffsets: (topic) => profile.endOffsets(topic),
      flights: () => {
        terminal.err(
          `reading ${limit.toLocaleString('en-US')} flights and writing them to two topics, some of them corrupted\n`,
        );
        // One engine is all that a process can have: on the embedded profile it is open already.
        return profile.name === 'embedded'
          ? readFlights((sql) => tables.query(sql), flightFiles(), limit)
          : readFlightsAlone(limit);
      },
      clock: systemClock,
      rate: options.loadOnly ? options.rate : undefined,
      signal: abort.signal,
    });
  } finally {
    forget();
    await producer.close();
  }
}

interface Ran {
  /** To the end of the topics, not stopped before. */
  readonly finished: boolean;
  readonly recordsPerSecond: number;
  readonly peakOwnMiB: number | null;
}

async function run(options: DemoOptions, profile: OpenProfile, manifest: Manifest): Promise<Ran> {
  const { terminal, rate, epochInterval, onPoint } = options;
  const inference = createInference();
  try {
    const startedMs = performance.now();
    const running = await runTopology(flightDelays, {
      profile,
      inference,
      bounded: true,
      recordsPerSecondMax: rate,
      onWarning: (message) => terminal.err(`warning: ${message}\n`),
      ...(epochInterval === undefined ? {} : { epochInterval }),
      ...(onPoint ? { onPoint } : {}),
    });
    const before = snapshotOf(running.snapshot(), undefined, 0, recordsIn(manifest)).records;
    const page = await openPage(options, profile, running);
    const { finished, peakOwnMiB } = await attend(running, terminal, startedMs, recordsIn(manifest));
    const seconds = (performance.now() - startedMs) / 1_000;
    const { records } = snapshotOf(running.snapshot(), undefined, seconds, recordsIn(manifest));
    await page?.close(finished);
    return { finished, recordsPerSecond: (records - before) / seconds, peakOwnMiB };
  } finally {
    await inference.close();
  }
}

/** Serves the live page. `close` waits for Ctrl-C first, if the page stays and the run came to its own end. */
async function openPage({ port = 0, stays = false, terminal }: DemoOptions, profile: OpenProfile, running: Running) {
  if (port === 0) return undefined;
  let isReady = true;
  const monitoring = await serveMonitoring({
    ...{ host: '127.0.0.1', port, token: undefined, topology: flightDelays, running },
    profile: profile.name === 'cluster' ? 'cluster' : 'embedded',
    isReady: () => isReady,
  });
  terminal.err(`\n  live page: ${monitoring.url}\n\n`);
  return {
    async close(isFinished: boolean): Promise<void> {
      isReady = false;
      if (stays && isFinished) {
        terminal.err(`all flights are through; ${monitoring.url} stays open until Ctrl-C, then comes the report\n`);
        await new Promise<void>((resolve) => {
          const forget = onInterrupt({ err: () => undefined }, () => {
            forget();
            resolve();
          });
        });
      }
      await monitoring.close();
    },
  };
}

/** Memory of this process that is no page of a file, such as those of the embedded store; only Linux tells. */
function ownMiB(): number | null {
  try {
    return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1_024;
  } catch {
    return null;
  }
}

/** Shows progress until the run ends. */
async function attend(
  running: Running,
  terminal: Terminal,
  startedMs: number,
  recordsTotal: number,
): Promise<Pick<Ran, 'finished' | 'peakOwnMiB'>> {
  let stopped = false;
  let peakOwnMiB = ownMiB();
  const forget = onInterrupt(terminal, () => {
    stopped = true;
    running.stop().catch(() => undefined); // `finished` rejects with the same cause
  });
  const progress = progressWriter({
    isTTY: process.stderr.isTTY,
    columns: process.stderr.columns,
    // The line is rewritten by control characters, which a command's terminal does not let pass.
    write: process.stderr.isTTY ? (text) => process.stderr.write(text) : terminal.err,
  });
  let last: ReturnType<typeof snapshotOf> | undefined;
  const show = () => {
    last = snapshotOf(running.snapshot(), last, (performance.now() - startedMs) / 1_000, recordsTotal);
    progress.show(last);
    const now = ownMiB();
    if (now !== null) peakOwnMiB = Math.max(now, peakOwnMiB ?? 0);
  };
  const timer = setInterval(show, PROGRESS_EVERY_MS);
  try {
    await running.finished;
    show();
    return { finished: !stopped, peakOwnMiB };
  } finally {
    clearInterval(timer);
    progress.end();
    forget();
  }
}

async function report(options: DemoOptions, profile: OpenProfile, manifest: Manifest, ran: Ran): Promise<FlightReport> {
  const { data, json, terminal } = options;
  const { tables } = await profile.connect(clickhouse);
  const speed = await rememberedSpeed(join(data, 'speed.json'), ran);
  const made = await makeReport({
    query: (sql) => tables.query(sql),
    command: (sql) => tables.command(sql),
    manifest,
    facts: {
      profile: profile.name,
      seconds: process.uptime(),
      recordsPerSecond: speed,
      peakRssMiB: process.resourceUsage().maxRSS / 1_024,
      peakOwnMiB: ran.peakOwnMiB,
    },
  });
  const page = join(data, 'report.html');
  const figures = join(data, 'report.json');
  await writeFile(page, reportHtml(made));
  await writeFile(figures, `${JSON.stringify(made, null, 2)}\n`);
  const shown = (path: string) => relative('.', path) || path;
  terminal.out(
    json
      ? `${JSON.stringify(made)}\n`
      : reportText(made, {
          files: [
            ['report', shown(page)],
            ['figures', shown(figures)],
            ['data', shown(data)],
          ],
          commands: [
            ['npx millrace describe topologies/flight-delays.ts', 'the topology, and what each sink guarantees'],
            [
              `npx millrace query --data ${shown(data)} "SELECT * FROM predictions LIMIT 5"`,
              'SQL over what was written',
            ],
            ['npx millrace init my-stream', 'a first topology of your own'],
          ],
        }),
  );
  return made;
}

/** A run that only looks at what an earlier one finished shows that one's speed. */
async function rememberedSpeed(file: string, { recordsPerSecond }: Ran): Promise<number> {
  if (recordsPerSecond < 1) {
    try {
      return Number(JSON.parse(await readFile(file, 'utf8')));
    } catch {
      return 0; // the run that finished was killed before it could say
    }
  }
  await writeFile(file, JSON.stringify(recordsPerSecond));
  return recordsPerSecond;
}
