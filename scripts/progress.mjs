// A reporter of vitest that says how far its run is: a line now and then, with about how long the rest takes. A test file that was
// timed before counts as long as it took then, any other as long as the mean of them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';

const EVERY_MS = 20_000;
const KEPT = '.millrace/test-times.json';

export default class Progress {
  onTestRunStart(specifications) {
    this.startedMs = performance.now();
    this.toldMs = this.startedMs;
    this.known = kept();
    this.took = {};
    this.left = new Set(specifications.map(({ moduleId }) => pathOf(moduleId)));
  }

  onTestModuleEnd(module) {
    const path = pathOf(module.moduleId);
    const { prepareDuration, collectDuration, setupDuration, duration } = module.diagnostic();
    this.took[path] = Math.round(prepareDuration + collectDuration + setupDuration + duration);
    this.left.delete(path);
    const nowMs = performance.now();
    if (nowMs - this.toldMs < EVERY_MS || this.left.size === 0) return;
    this.toldMs = nowMs;
    const done = Object.keys(this.took);
    const leftMs = restMs(nowMs - this.startedMs, done, [...this.left], this.known);
    console.log(
      `-- ${done.length} of ${done.length + this.left.size} test files in ${words(nowMs - this.startedMs)}, about ${words(leftMs)} left`,
    );
  }

  onTestRunEnd() {
    mkdirSync(dirname(KEPT), { recursive: true });
    writeFileSync(KEPT, JSON.stringify({ ...kept(), ...this.took }));
  }
}

/** How long the files that are left take, if they go on as those that are done did. */
export function restMs(elapsedMs, done, left, known) {
  const times = Object.values(known);
  const mean = times.length > 0 ? sum(times) / times.length : 1;
  const weight = (paths) => sum(paths.map((path) => known[path] ?? mean));
  return (elapsedMs * weight(left)) / Math.max(weight(done), 1);
}

function kept() {
  try {
    return JSON.parse(readFileSync(KEPT, 'utf8'));
  } catch {
    return {}; // nothing was timed yet
  }
}

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);
const pathOf = (moduleId) => relative(process.cwd(), moduleId);
const words = (ms) => (ms < 60_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`);
