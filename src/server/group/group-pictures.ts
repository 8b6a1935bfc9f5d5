import { setTimeout as pause } from 'node:timers/promises';
import type { TaskElsewhere } from '../../runtime/index.js';
import { getOrInsert } from '../../util/maps.js';
import { PICTURE_FORM, type Picture } from '../live.js';
import { placesOf } from '../owner-address.js';
import { mergedPicture } from './merge-pictures.js';
import { PROCESSES_MAX } from './pass-on.js';
import { readPictures } from './read-pictures.js';

/** A process of the group, as the one that was asked knows it. */
export interface ProcessFigures {
  /** `null` for this one. */
  readonly url: string | null;
  /** `asked`: its first picture is on its way. */
  readonly state: 'here' | 'answers' | 'asked' | 'silent' | 'another version';
  readonly tasks: number;
  /** Of its last picture; `null` without one. */
  readonly readRate: number | null;
  readonly loop: number | null;
  readonly upSeconds: number | null;
}

/** What the page shows: the processes of a group as one. */
export interface GroupPicture extends Omit<Picture, 'status'> {
  /** `partial`: figures of other processes are missing. */
  readonly status: Picture['status'] | 'partial';
  /** This one first. */
  readonly processes: readonly ProcessFigures[];
  /** Which tasks are missing and why, as sentences. */
  readonly missing: readonly string[];
}

export interface GroupOptions {
  readonly topology: string;
  readonly token: string | undefined;
  readonly own: () => Picture;
  readonly elsewhere: () => readonly TaskElsewhere[];
}

export interface GroupPictures {
  next(): GroupPicture;
  /** Leaves the other processes alone, until somebody looks again. */
  rest(): void;
}

/** Pictures come once a second. */
const SILENT_MS = 1_800;
const RETRY_MS = 500;
/** A connection that says nothing for this long is opened anew. */
const GIVE_UP_MS = 5_000;

/** A process that is followed. */
interface Peer {
  readonly ends: AbortController;
  attempt: AbortController;
  attemptMs: number;
  picture: Picture | undefined;
  /** When it was last heard, or first asked. */
  heardMs: number;
  /** The connection was lost after it had been heard. */
  isLost: boolean;
}

/**
 * Merges the pictures of all processes that run tasks of a topology. Each is followed by its own stream while somebody looks, at the
 * address that the group knows, with the token. One that says nothing for two seconds is left out, and named.
 *
 * Memory: one picture of each process, of at most 256.
 */
export function groupPictures({ topology, token, own, elsewhere }: GroupOptions): GroupPictures {
  const peers = new Map<string, Peer>();

  const follow = (address: string): Peer => {
    const peer: Peer = {
      ends: new AbortController(),
      attempt: new AbortController(),
      attemptMs: Date.now(),
      picture: undefined,
      heardMs: Date.now(),
      isLost: false,
    };
    void hear(peer, address);
    return peer;
  };
  const hear = async (peer: Peer, address: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    while (!peer.ends.signal.aborted) {
      peer.attempt = new AbortController();
      peer.attemptMs = Date.now();
      const signal = AbortSignal.any([peer.ends.signal, peer.attempt.signal]);
      try {
        const answer = await fetch(`${address}/live/process`, { headers, redirect: 'error', signal });
        for await (const picture of readPictures<Picture>(answer)) {
          peer.picture = picture;
          peer.heardMs = Date.now();
          peer.isLost = false;
        }
      } catch {
        // It has died or moved: the group will say where its tasks are.
      }
      peer.isLost ||= peer.picture !== undefined;
      peer.picture = undefined;
      await pause(RETRY_MS, undefined, { signal: peer.ends.signal }).catch(() => undefined);
    }
  };
  const leave = (address: string, peer: Peer) => {
    peer.ends.abort();
    peers.delete(address);
  };

  return {
    next() {
      const mine = own();
      const nowMs = Date.now();
      const { tasksOf, nowhere } = placesOf(elsewhere(), topology, token);
      for (const [address, peer] of peers) if (!tasksOf.has(address)) leave(address, peer);
      const heard: Picture[] = [];
      const processes: ProcessFigures[] = [{ ...figuresOf(mine), url: null, state: 'here', tasks: mine.tasks }];
      const missing: string[] = [];
      for (const [address, tasks] of [...tasksOf].slice(0, PROCESSES_MAX)) {
        const peer = getOrInsert(peers, address, () => follow(address));
        const state = stateOf(peer, nowMs);
        const picture = state === 'answers' ? peer.picture : undefined;
        if (picture) heard.push(picture);
        processes.push({ ...figuresOf(picture), url: address, state, tasks: tasks.length });
        if (state === 'silent')
          missing.push(
            `${address} has not answered for ${seconds(nowMs - peer.heardMs)}: ${named(tasks)} missing here`,
          );
        if (state === 'another version')
          missing.push(`${address} runs another version of Millrace: ${named(tasks)} missing here`);
        if (nowMs - Math.max(peer.heardMs, peer.attemptMs) > GIVE_UP_MS) peer.attempt.abort();
      }
      if (nowhere.length > 0)
        missing.push(
          `${named(nowhere)} missing here: moving, or in a process without --port, or with another MILLRACE_TOKEN`,
        );
      const merged = mergedPicture(mine, heard);
      const isWell = merged.status === 'ok' || merged.status === 'paused';
      const status = isWell && missing.length > 0 ? 'partial' : merged.status;
      // A browser has no use for bins, which are most of a picture.
      const nodes = Object.fromEntries(
        Object.entries(merged.nodes).map(([id, node]) => [id, { ...node, latencyBins: [] }]),
      );
      return { ...merged, status, nodes, latencyBins: [], processes, missing };
    },
    rest() {
      for (const [address, peer] of peers) leave(address, peer);
    },
  };
}

function stateOf({ picture, heardMs, isLost }: Peer, nowMs: number): ProcessFigures['state'] {
  if (isLost || nowMs - heardMs > SILENT_MS) return 'silent';
  if (picture === undefined) return 'asked';
  return picture.form === PICTURE_FORM ? 'answers' : 'another version';
}

const figuresOf = (picture: Picture | undefined): Pick<ProcessFigures, 'readRate' | 'loop' | 'upSeconds'> => ({
  readRate: picture?.readRate ?? null,
  loop: picture?.loop ?? null,
  upSeconds: picture?.upSeconds ?? null,
});

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

/** The first tasks by their numbers. */
function named(tasks: readonly number[]): string {
  const shown = [...new Set(tasks)].sort((a, b) => a - b);
  const text = shown.length > 8 ? `${shown.slice(0, 8).join(', ')} and ${shown.length - 8} more` : shown.join(', ');
  return shown.length === 1 ? `task ${text} is` : `tasks ${text} are`;
}
