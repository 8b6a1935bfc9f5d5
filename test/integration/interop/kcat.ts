import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { address } from '../address.js';

// kcat, which takes and gives bytes as they are. Records are parted by a byte that no case has.

const SEPARATOR = 0x1e;
const there = (topic: string) => ['-b', address('MILLRACE_KAFKA'), '-t', topic, '-p', '0'];

async function run(args: readonly string[], input: Uint8Array): Promise<Buffer> {
  const child = spawn('kcat', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`kcat ended with ${code}: ${err}`);
  return out;
}

export async function kcatWrites(topic: string, payloads: readonly Uint8Array[]): Promise<void> {
  const parted = payloads.flatMap((payload) => [payload, Buffer.of(SEPARATOR)]);
  await run(['-P', ...there(topic), '-D', '\\x1e'], Buffer.concat(parted));
}

export async function kcatReads(topic: string): Promise<Buffer[]> {
  const found = await run(['-C', ...there(topic), '-o', 'beginning', '-e', '-q', '-f', '%s\\x1e'], Buffer.alloc(0));
  const payloads: Buffer[] = [];
  for (let at = 0; at < found.length; ) {
    const end = found.indexOf(SEPARATOR, at);
    payloads.push(found.subarray(at, end));
    at = end + 1;
  }
  return payloads;
}
