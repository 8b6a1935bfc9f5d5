import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';

/** The machine in one line: a figure without it says little. */
export function machineLine(): string {
  const model = cpus()[0]?.model.trim() || 'unknown processor';
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${availableParallelism()} x ${model}, ${memory} GiB, ${platform()} ${release()} ${arch()}, Node ${process.version}`;
}
