import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../core/index.js';
import { type Reply, type Request, type Start, startWorker } from '../../util/worker-thread.js';
import { sendNoTelemetry } from '../session/onnx-runtime.js';
import { control } from './protocol.js';

/** Where sessions run: in threads of this process, or in processes of their own, where one that hangs can be killed. */
export const isolations = ['thread', 'process'] as const;
export type Isolation = (typeof isolations)[number];

/** The way to one worker. */
export interface Channel {
  /** Sends a request. The buffers belong to the worker from then on; a process has its own copy, and they stay here. */
  post(request: Request, transfer: readonly ArrayBuffer[]): void;
  /** Whether the process of the caller stays alive for this worker. */
  hold(isHeld: boolean): void;
  /**
   * Gives up a worker that must not be used any more. A process is killed. A thread inside the native runtime cannot be ended without
   * aborting this process, so it is asked to end when it comes back; nobody waits for one that `isStuck`.
   */
  giveUp(isStuck: boolean): void;
  /** Resolves when the worker is gone. */
  readonly gone: Promise<void>;
}

export interface ChannelEvents {
  onReply(reply: Reply): void;
  /** The worker ended, whether it was asked to or not. */
  onDeath(why: string): void;
}

const MODULE = 'worker';

export const openChannel = (isolation: Isolation, events: ChannelEvents): Channel =>
  isolation === 'thread' ? threadChannel(events) : processChannel(events);

/** How long answers may keep the event loop from anything else, in milliseconds. */
export const TURN_MAX_MS = 2;

/**
 * Node hands over up to 1,000 messages of a thread, also those that come meanwhile, before it looks at anything else. A model whose batches
 * take less time than their answers would keep timers and sockets waiting as long. So answers that come later than this in a turn of the
 * event loop wait for the next turn: the worker gets no new batches meanwhile, so the messages end.
 */
export function inTurns(onReply: (reply: Reply) => void): (reply: Reply) => void {
  const held: Reply[] = [];
  let sinceMs: number | undefined;
  function nextTurn(): void {
    sinceMs = undefined;
    for (const reply of held.splice(0)) onReply(reply);
  }
  return (reply) => {
    const nowMs = performance.now();
    if (sinceMs === undefined) {
      sinceMs = nowMs;
      setImmediate(nextTurn);
    }
    if (nowMs - sinceMs < TURN_MAX_MS) onReply(reply);
    else held.push(reply);
  };
}

/** What is done when this process exits, by one listener: of more than ten Node warns. */
const atExit = new Set<() => void>();
const exit = (): void => {
  for (const work of atExit) work();
};
function onExit(work: () => void): void {
  if (atExit.size === 0) process.on('exit', exit);
  atExit.add(work);
}
function notOnExit(work: () => void): void {
  if (atExit.delete(work) && atExit.size === 0) process.off('exit', exit);
}

/** How long an exiting process waits for the worker to leave the native runtime, in milliseconds. */
const exitTimeoutMs = 10_000;

function threadChannel({ onReply, onDeath }: ChannelEvents): Channel {
  const words = new Int32Array(new SharedArrayBuffer(control.words * Int32Array.BYTES_PER_ELEMENT));
  sendNoTelemetry();
  const worker = startWorker(import.meta.url, MODULE, {
    name: 'millrace-inference',
    execArgv: [],
    workerData: { progress: new Int32Array(1), data: words } satisfies Start,
  });
  worker.unref();
  // While the process exits: the worker starts nothing more, and its current run may end.
  const leaveInPeace = () => {
    Atomics.store(words, control.stop, 1);
    Atomics.wait(words, control.busy, 1, exitTimeoutMs);
  };
  // A process that ends waits for its threads, and one that is stuck may never end: only a signal helps then.
  const endAnyway = () => process.kill(process.pid, 'SIGKILL');
  onExit(leaveInPeace);
  worker.on('message', inTurns(onReply));
  worker.on('error', (cause) => onDeath(`died (${messageOf(cause)})`));
  const gone = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      notOnExit(leaveInPeace);
      notOnExit(endAnyway);
      onDeath(`died (exit code ${code})`);
      resolve();
    });
  });
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    hold: (isHeld) => (isHeld ? worker.ref() : worker.unref()),
    giveUp(isStuck) {
      worker.postMessage({ id: -1, kind: 'close', ask: {} } satisfies Request);
      worker.unref();
      if (!isStuck) return;
      notOnExit(leaveInPeace);
      onExit(endAnyway);
    },
    gone,
  };
}

function processChannel({ onReply, onDeath }: ChannelEvents): Channel {
  const child = forkWorker();
  const hold = (isHeld: boolean) => {
    for (const held of [child, child.channel]) isHeld ? held?.ref() : held?.unref();
  };
  hold(false);
  const kill = () => child.kill('SIGKILL');
  onExit(kill);
  child.on('message', (reply) => onReply(reply as Reply));
  const gone = new Promise<void>((resolve) => {
    const end = (why: string) => {
      notOnExit(kill);
      onDeath(why);
      resolve();
    };
    child.on('error', (cause) => {
      // Also what could not be sent to a process that is just dying; its end follows.
      if (child.pid === undefined) end(`cannot start (${messageOf(cause)})`);
    });
    child.on('exit', (code, signal) => end(`died (${signal ?? `exit code ${code}`})`));
  });
  return {
    post: (request) => void child.send(request),
    hold,
    giveUp: () => void kill(),
    gone,
  };
}

/**
 * glibc keeps large blocks that were released once, so a process with other models than before would grow and grow. Above a fixed size it
 * gives them back. (Of a thread this is the business of who starts the process.)
 */
const memoryThatIsGivenBack = { MALLOC_MMAP_THRESHOLD_: `${256 * 1_024}`, MALLOC_TRIM_THRESHOLD_: `${256 * 1_024}` };

/** Compiled code starts its compiled sibling; sources (tests, tsx) start the source through tsx. */
function forkWorker(): ChildProcess {
  const isSource = import.meta.url.endsWith('.ts');
  const entry = new URL(`./${MODULE}.${isSource ? 'ts' : 'js'}`, import.meta.url);
  const execArgv = isSource ? ['--import', createRequire(import.meta.url).resolve('tsx')] : [];
  // `advanced`: typed arrays travel as bytes.
  return fork(fileURLToPath(entry), [], {
    execArgv,
    serialization: 'advanced',
    env: { ...process.env, ...memoryThatIsGivenBack },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
