import { counted } from '../util/counted.js';
import type { StatePlan } from './plan.js';

/**
 * A plan as text: what happens to each source's position and each cell's state, refusals with their reasons below.
 *
 * @example
 * terminal.out(planText(planState(flightDelays, stored)));
 */
export function planText({
  topology,
  hash,
  storedHashes,
  tasks,
  changes,
  settings,
  tasksNow,
  sources,
  sinks,
  cells,
}: StatePlan): string {
  if (tasks === 0) return `plan for ${topology} (${hash}): no state is stored, everything starts empty\n`;
  const unchanged = storedHashes.length === 1 && storedHashes[0] === hash;
  const from = unchanged ? 'the same topology' : `topology ${storedHashes.join(', ')}`;
  const rows = [
    ...sources.map(({ source, action, topic, offsets, note }) => {
      const at = Object.entries(offsets).map(([task, offset]) => `${task}:${offset ?? 'earliest'}`);
      return ['source', source, topic, action, at.join(' '), note];
    }),
    ...sinks.map(({ sink, action, unfinished, note }) => {
      const what = Object.entries(unfinished).map(([task, names]) => `${task}: ${names.join(', ')}`);
      return ['sink', sink, '', action, what.join('; '), note];
    }),
    ...cells.map(({ step, cell, action, stored, version, buckets, bytes, note }) => {
      const target = version === undefined || stored.every((each) => each === version) ? '' : ` -> v${version}`;
      const versions = stored.length === 0 ? '' : `${stored.map((each) => `v${each}`).join(' and ')}${target}`;
      const size = buckets === 0 ? '' : `${counted(buckets, 'bucket')}, ${counted(bytes, 'byte')}`;
      return ['state', step, cell, action, [versions, size].filter((text) => text !== '').join(', '), note];
    }),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const count = (action: string) => [...sources, ...sinks, ...cells].filter((each) => each.action === action).length;
  const sum = ['continues', 'reused', 'migrated', 'divided', 'new', 'kept', 'dropped', 'refused']
    .map((action) => [action, count(action)] as const)
    .filter(([, number]) => number > 0)
    .map(([action, number]) => `${number} ${action}`)
    .join(', ');
  const into =
    tasksNow === undefined
      ? ''
      : `the inputs have ${counted(tasksNow, 'partition')}: savepoint restore --rescale divides it\n`;
  const list = changes.map((line) => `  ${line}\n`).join('');
  const differs = list === '' ? '' : `sources or stateful steps differ from those of the checkpoint:\n${list}`;
  const set = settings.map(
    ({ step, setting, was, is }) => `  ${step}: ${setting} ${was ?? 'not given'} -> ${is ?? 'not given'}\n`,
  );
  const made =
    set.length === 0
      ? ''
      : `settings differ from those that the stored state was made with; it is reused:\n${set.join('')}`;
  return `plan for ${topology} (${hash}) over ${counted(tasks, 'task')} of ${from}\n${into}\n${lines.join('\n')}\n\n${sum}\n${made}${differs}`;
}
