import { constants, existsSync } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import type { Finding } from '../../core/connector.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** The process beside its heap: native code, buffers, mapped pages. */
const BESIDE_HEAP_BYTES = 512 * MIB;
const FREE_BYTES_MIN = GIB;

/** What is known of a machine. */
export interface Machine {
  /** Such as `20.20.2`. */
  readonly node: string;
  /** The lowest version that the package runs on, such as `20.19`. */
  readonly nodeMin: string;
  readonly heapMaxBytes: number;
  /** Of the machine, or what a container may use of it. */
  readonly memoryBytes: number;
}

export const thisMachine = (nodeMin: string): Machine => {
  const constrained = process.constrainedMemory();
  return {
    node: process.versions.node,
    nodeMin,
    heapMaxBytes: getHeapStatistics().heap_size_limit,
    memoryBytes: constrained > 0 && constrained < totalmem() ? constrained : totalmem(),
  };
};

/** Whether Node and the memory fit. */
export function ofMachine({ node, nodeMin, heapMaxBytes, memoryBytes }: Machine): Finding[] {
  const isOld = node.localeCompare(nodeMin, 'en', { numeric: true }) < 0;
  const room = memoryBytes - BESIDE_HEAP_BYTES;
  const heapMib = Math.max(256, Math.floor(room / MIB / 2));
  const memory = `a heap of up to ${gib(heapMaxBytes)} in ${gib(memoryBytes)} of memory`;
  return [
    {
      of: 'Node',
      ...(isOld
        ? { state: 'problem', said: `version ${node} is too old`, hint: `install version ${nodeMin} or newer` }
        : { state: 'fine', said: `version ${node}` }),
    },
    {
      of: 'memory',
      ...(heapMaxBytes > room
        ? {
            state: 'warning',
            said: `${memory}: the system may kill the process before it collects garbage`,
            hint: `give it more memory, or NODE_OPTIONS=--max-old-space-size=${heapMib}`,
          }
        : { state: 'fine', said: memory }),
    },
  ];
}

/** Whether the folder of the embedded profile, or the one that it will be made in, can be written to and has room. */
export async function ofFolder(data: string): Promise<Finding> {
  const of = `the folder ${data}`;
  let there = resolve(data);
  while (!existsSync(there)) there = dirname(there);
  try {
    if (!(await stat(there)).isDirectory()) throw new Error('no folder');
    await access(there, constants.W_OK);
  } catch {
    return {
      of,
      state: 'problem',
      said: `${there} is no folder that can be written to`,
      hint: 'pass --data another folder, or set MILLRACE_DATA',
    };
  }
  const { bavail, bsize } = await statfs(there);
  const free = bavail * bsize;
  if (free >= FREE_BYTES_MIN) return { of, state: 'fine', said: `${gib(free)} free` };
  return { of, state: 'warning', said: `only ${gib(free)} free`, hint: 'a full disk stops a run until there is room' };
}

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;
