import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { repository } from '../import-graph.js';
import { type Mutant, withFault } from './draw.js';

/** What became of a mutant; `unfinished` where the time was over before all related tests had run. */
export interface Verdict {
  readonly outcome: 'killed' | 'survived' | 'unfinished';
  /** The test file that failed, or the simulation; with `(time)` where it did not end. */
  readonly by?: string;
  readonly testFiles: number;
  readonly seconds: number;
}

/** What may notice a fault in a file, the nearest first. */
export interface TestsOfFile {
  readonly unit: readonly string[];
  /** Whether the simulation reaches it. */
  readonly isSimulated: boolean;
  readonly integration: readonly string[];
}

/** Tests that run together: files of one project, or the simulation. */
interface Group {
  readonly project: 'unit' | 'simulation' | 'integration';
  readonly files: readonly string[];
}

interface Ran {
  readonly passed: boolean;
  readonly timedOut: boolean;
  /** Test files, from the root of the repository. */
  readonly failed: readonly string[];
}

/** Unit test files that run together: a failure ends them all, so few at first and more later. */
const GROUPS = [4, 12, 40];
const INTEGRATION_GROUP = 2;
/** A group that takes longer does not end. */
const GROUP_SECONDS = 150;
const SIM_SEEDS = '15';

/** A copy of the repository in which mutants are tried, one at a time. The user's own tree is only read. */
export class Trials {
  private readonly folder = mkdtempSync(join(tmpdir(), 'millrace-mutants-'));
  private readonly root = join(this.folder, 'copy');
  /** In how many seconds these tests pass without a fault. */
  private readonly sound = new Map<string, number>();
  private running: number | undefined;

  constructor() {
    const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
      cwd: repository,
      encoding: 'utf8',
    });
    for (const path of listed
      .trim()
      .split('\n')
      .filter((each) => existsSync(join(repository, each)))) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      cpSync(join(repository, path), join(this.root, path));
    }
    symlinkSync(join(repository, 'node_modules'), join(this.root, 'node_modules'));
  }

  /** Runs the tests, in their order, until one fails because of the fault. */
  async run(mutant: Mutant, tests: TestsOfFile, secondsMax: number): Promise<Verdict> {
    const began = performance.now();
    const seconds = () => Math.round((performance.now() - began) / 1_000);
    const path = join(this.root, mutant.file);
    const text = readFileSync(path, 'utf8');
    const faulty = withFault(text, mutant);
    let testFiles = 0;
    try {
      for (const { project, files } of groupsOf(tests)) {
        if (seconds() > secondsMax) return { outcome: 'unfinished', testFiles, seconds: seconds() };
        // Those that do not pass soundly, since the machine is busy, say nothing of other faults either.
        for (let left = files; left.length > 0 && this.sound.get(left.join()) !== Number.POSITIVE_INFINITY; ) {
          writeFileSync(path, faulty);
          const ran = await this.tests({ project, files: left });
          writeFileSync(path, text);
          if (ran.passed) break;
          const suspects = ran.failed.length > 0 ? ran.failed : left;
          if (await this.passSoundly({ project, files: suspects }, ran.timedOut ? GROUP_SECONDS / 3 : GROUP_SECONDS)) {
            const by = `${suspects[0]}${ran.timedOut ? ' (time)' : ''}`;
            return { outcome: 'killed', by, testFiles: testFiles + 1, seconds: seconds() };
          }
          // They fail without the fault too, here and now: they say nothing about it.
          left = left.filter((each) => !suspects.includes(each));
        }
        testFiles += files.length;
      }
      return { outcome: 'survived', testFiles, seconds: seconds() };
    } finally {
      writeFileSync(path, text);
    }
  }

  close(): void {
    if (this.running !== undefined) kill(this.running);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Without a fault, and within the time: on a busy machine what did not end may have been slow alone. */
  private async passSoundly(group: Group, secondsMax: number): Promise<boolean> {
    const key = group.files.join();
    let seconds = this.sound.get(key);
    if (seconds === undefined) {
      const began = performance.now();
      const { passed } = await this.tests(group);
      seconds = passed ? (performance.now() - began) / 1_000 : Number.POSITIVE_INFINITY;
      this.sound.set(key, seconds);
    }
    return seconds <= secondsMax;
  }

  private async tests({ project, files }: Group): Promise<Ran> {
    if (project === 'simulation') {
      const args = ['--import', 'tsx', 'test/sim/main.ts', '--seeds', SIM_SEEDS, '--first', '--json'];
      const { code, timedOut } = await this.spawned(args);
      return { passed: code === 0, timedOut, failed: [] };
    }
    const report = join(this.folder, 'report.json');
    rmSync(report, { force: true });
    const options = ['--project', project, '--bail', '1', '--reporter=json', `--outputFile=${report}`];
    const { code, timedOut } = await this.spawned(['node_modules/vitest/vitest.mjs', 'run', ...options, ...files]);
    const results = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as Report).testResults : [];
    const failed = results.filter(({ status }) => status === 'failed').map(({ name }) => relative(this.root, name));
    return { passed: code === 0, timedOut, failed };
  }

  private spawned(args: readonly string[]): Promise<{ code: number | null; timedOut: boolean }> {
    // A group of its own: a test in an endless loop is ended with its workers.
    const child = spawn(process.execPath, args, { cwd: this.root, stdio: 'ignore', detached: true });
    const pid = child.pid as number;
    this.running = pid;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      kill(pid);
    }, GROUP_SECONDS * 1_000);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(timer);
        this.running = undefined;
        resolve({ code, timedOut });
      });
    });
  }
}

interface Report {
  readonly testResults: readonly { readonly name: string; readonly status: string }[];
}

const SIMULATION = 'npm run sim';

/** The nearest unit tests, the simulation where it reaches the file, further unit tests, then what takes longer. */
function* groupsOf({ unit, isSimulated, integration }: TestsOfFile): Generator<Group> {
  for (let from = 0, group = 0; from < unit.length; group++) {
    const size = GROUPS[Math.min(group, GROUPS.length - 1)] as number;
    yield { project: 'unit', files: unit.slice(from, from + size) };
    if (group === 0 && isSimulated) yield { project: 'simulation', files: [SIMULATION] };
    from += size;
  }
  for (let from = 0; from < integration.length; from += INTEGRATION_GROUP)
    yield { project: 'integration', files: integration.slice(from, from + INTEGRATION_GROUP) };
}

function kill(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
