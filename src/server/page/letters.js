// Dead letters, to be looked at and sent again, and what buttons do.

import { ask, byId, count, element, rows, say, time } from './dom.js';

const chosen = new Set();
const replayItems = new Map();
let isAllowed = false;

/** Does what a button says, and tells why it could not. */
export const doing = (button, action, noteId = 'letter-note') =>
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      await action();
    } catch (error) {
      say(byId(noteId), error.message);
    } finally {
      button.disabled = false;
    }
  });

function selection() {
  const { reason, step, again } = byId('letter-filter').elements;
  return {
    ...(reason.value && { reason: reason.value }),
    ...(step.value && { step: step.value }),
    again: again.checked,
  };
}

export async function look() {
  const { topic, entries, scanned, groups, letters } = await ask(`dead-letters?${new URLSearchParams(selection())}`);
  choices('reason', groups);
  choices('step', groups);
  chosen.clear();
  sayChosen();
  const part =
    scanned < entries
      ? `the newest ${count(scanned)} dead letters in ${topic} (${count(entries)} entries)`
      : `all ${count(scanned)} dead letters in ${topic}`;
  const again = groups.reduce((sum, { replayed }) => sum + replayed, 0);
  say(
    byId('letter-note'),
    `${letters.length} of ${part}, the newest first. ${count(again)} had been sent again and failed again.`,
  );
  const withValues = letters.some(({ values }) => values);
  const heads = [
    ...(isAllowed ? ['choose'] : []),
    ...['event time', 'reason', 'step', 'came from', '#bytes'],
    ...(withValues ? ['why', 'record'] : []),
  ];
  byId('letter-rows').dataset.shape = ''; // none is chosen any more
  rows(
    byId('letter-rows'),
    heads,
    letters.map(({ place, timestamp, reason, step, origin, replayed, bytes, values }) => [
      ...(isAllowed ? [{ key: place, make: () => chooser(place) }] : []),
      timestamp.replace('T', ' ').slice(0, 19),
      replayed ? `${reason} (again)` : reason,
      step,
      origin ?? 'unknown',
      count(bytes),
      ...(values ? [values.detail, values.record] : []),
    ]),
    'none that match',
  );
}

/** The dead letters of a rule. */
export async function lookAt(step, reason) {
  choices('reason', [{ reason }]);
  choices('step', [{ step }]);
  const { elements } = byId('letter-filter');
  elements.reason.value = reason;
  elements.step.value = step;
  byId('letters').scrollIntoView();
  elements.reason.focus();
  await look().catch((error) => say(byId('letter-note'), error.message));
}

function choices(name, groups) {
  const list = byId('letter-filter').elements[name];
  const known = new Set([...list.options].map(({ value }) => value));
  for (const group of groups) {
    if (known.has(group[name])) continue;
    known.add(group[name]);
    list.append(element('option', { value: group[name] }, group[name]));
  }
}

function chooser(place) {
  const box = element('input', { type: 'checkbox', 'aria-label': `choose dead letter ${place}` });
  box.addEventListener('change', () => {
    if (box.checked) chosen.add(place);
    else chosen.delete(place);
    sayChosen();
  });
  return box;
}

const sayChosen = () =>
  say(byId('count'), chosen.size > 0 ? `Replay the ${chosen.size} chosen…` : 'Replay all that match…');

export const replayWords = {
  counting: ({ what }) => `counting ${what}`,
  counted: ({ found, what, records }) => `${count(found)} to ${targets(records)}: ${what}`,
  sending: ({ sent, found, what }) => `${count(sent)} of ${count(found)} sent: ${what}`,
  sent: ({ sent, records, what }) => `${count(sent)} sent to ${targets(records)}: ${what}`,
  stopped: ({ sent, found, what }) => `stopped after ${count(sent)} of ${count(found)}: ${what}`,
  failed: ({ sent, what, error }) => `failed after ${count(sent)}: ${what}: ${error}`,
};
function targets(records) {
  const topics = [...new Set(records.map(({ topic }) => topic))];
  return topics.length > 0 ? `${topics.join(', ')} (${records.length} partitions)` : 'no topic';
}

/** Asks for a replay of what is chosen, or of all that match. */
export async function askReplay() {
  const places = chosen.size > 0 ? { places: [...chosen] } : {};
  showReplay(await ask('replays', { ...selection(), ...places }));
  say(byId('letter-note'), 'A replay is sent after it has been counted: see below.');
}

export function showReplays(actions) {
  isAllowed = actions.isAllowed;
  for (const replay of actions.replays) showReplay(replay);
  const ids = new Set(actions.replays.map(({ id }) => id));
  for (const [id, { item }] of replayItems) {
    if (ids.has(id)) continue;
    item.remove();
    replayItems.delete(id);
  }
}

/** One line a replay, which keeps its buttons while its figures change. */
function showReplay(replay) {
  const { id, state, by, startedMs, found, sent, read } = replay;
  if (!replayItems.has(id)) {
    const [text, bar] = [element('span'), element('progress', { max: 1, 'aria-label': `progress of ${id}` })];
    const [send, stop] = [element('button', { type: 'button' }), element('button', { type: 'button' }, 'Stop')];
    doing(send, async () => showReplay(await ask('replays/send', { id })));
    doing(stop, async () => showReplay(await ask('replays/stop', { id })));
    const item = element('li', {}, text, bar, send, stop);
    byId('replays').prepend(item);
    replayItems.set(id, { item, text, bar, send, stop });
  }
  const { text, bar, send, stop } = replayItems.get(id);
  const isUnderWay = state === 'counting' || state === 'sending';
  say(text, `${id}, ${time(startedMs).slice(11)} by ${by}: ${replayWords[state](replay)}`);
  say(send, `Send ${count(found)}`);
  send.hidden = state !== 'counted' || found === 0;
  stop.hidden = !isUnderWay;
  bar.hidden = !isUnderWay;
  bar.value = state === 'sending' && found > 0 ? sent / found : read;
}
