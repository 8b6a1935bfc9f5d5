import { MillraceError } from '../../../src/core/errors.js';
import { counted } from '../../../src/util/counted.js';
import { addressesOf, assignTasks, type GroupLayouts, type Share } from './assign-tasks.js';
import type { MemberClaim, MemberVersion } from './sticky-assigner.js';

const OTHERS_MAX = 8;

export const isVersion = (said: unknown): said is MemberVersion => {
  const { hash, layout, tasks } = (said ?? {}) as Partial<Record<keyof MemberVersion, unknown>>;
  return typeof hash === 'string' && typeof layout === 'string' && Number.isInteger(tasks);
};

/** Whether tasks may move between two members: both read the same sources and keep the same state. */
export const isSameLayout = (a: MemberVersion | undefined, b: MemberVersion | undefined): boolean =>
  a?.layout === b?.layout && a?.tasks === b?.tasks;

/**
 * Gives all tasks to members of one layout, like `assignTasks`; the others get none. The layout that has tasks keeps them as long
 * as it has a member. So versions never take tasks from each other, and a version that joins briefly changes nothing. If nobody has
 * a task, members that do not wait come first.
 *
 * @example
 * shareByLayout([{ memberId: 'old', owned: [0], generation: 1, version: v1, ... }, { memberId: 'new', owned: [], version: v2, ... }], 1, 0);
 * // 'old' has task 0; 'new' has none, and both know the other's layout
 */
export function shareByLayout(claims: readonly MemberClaim[], tasks: number, standbys: number): Map<string, Share> {
  const ordered = [...claims].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const owners = ordered.filter(({ owned }) => owned.length > 0).sort((a, b) => b.generation - a.generation);
  const chosen = owners[0] ?? ordered.find(({ waits }) => !waits) ?? ordered[0];
  const running = chosen?.version;
  const runs = ordered.filter(({ version }) => isSameLayout(version, running));
  const waits = ordered.filter(({ version }) => !isSameLayout(version, running));
  const others = waits.flatMap(({ memberId, version }) => (version ? [{ memberId, ...version }] : []));
  const held = runs.some(({ owned }) => owned.length > 0);
  const layouts = running && others.length > 0 ? { running, held, others: others.slice(0, OTHERS_MAX) } : undefined;

  const count = running?.tasks ?? tasks;
  const shares = assignTasks(runs, count, standbys);
  const addresses = addressesOf(runs, shares, count);
  const isPaused = owners.some(({ paused }) => paused);
  const none: Share = { owned: [], standby: [], pending: [] };
  return new Map(
    [...shares, ...waits.map(({ memberId }) => [memberId, none] as const)].map(([memberId, share]) => [
      memberId,
      {
        ...share,
        ...(addresses ? { addresses } : {}),
        ...(layouts ? { layouts } : {}),
        ...(isPaused ? { paused: true } : {}),
      },
    ]),
  );
}

/** What a member must report about other layouts in its group: a warning, or the reason why it cannot stay. */
export function newsOf(
  group: string,
  own: MemberVersion & { readonly memberId: string },
  accepted: boolean,
  { running, held, others }: GroupLayouts,
): string | MillraceError {
  const self = `this process, ${own.memberId} of ${text(own)}`;
  if (isSameLayout(own, running)) {
    const list = others.map((other) => `${other.memberId} of ${text(other)}`).join('; ');
    return `group '${group}' gives no tasks to ${list}: ${self}, and others of its layout have them. Stop these to finish an upgrade, or those`;
  }
  const differs = `group '${group}' gives no tasks to ${self}: processes of ${text(running)} have them`;
  // Another number of partitions is not another plan; whether the state allows it is decided when a task opens.
  if (accepted || !held || own.layout === running.layout)
    return `${differs}. This process waits, and takes over when they have all stopped`;
  return new MillraceError('config', differs, {
    where: group,
    hint: `millrace plan shows the difference; run --accept-plan ${own.hash} waits, and takes over when they have all stopped`,
    permanent: true,
  });
}

const text = ({ hash, layout, tasks }: MemberVersion): string =>
  `topology ${hash} (layout ${layout}, ${counted(tasks, 'task')})`;
