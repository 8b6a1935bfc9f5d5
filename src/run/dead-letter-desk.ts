import { letterKey } from '../../connectors/kafka/dead-letter-record.js';
import { MillraceError, messageOf } from '../core/errors.js';
import type { OpenProfile } from '../profiles/profiles.js';
import type { DeadLetterDesk, LetterSelection, Replay, SeenLetter } from '../server/actions/dead-letter-desk.js';
import { countLetters, type FoundLetter, type LetterFilter, matches } from '../topics/dead-letters.js';
import {
  type CodecOf,
  findLetters,
  letterFacts,
  letterPlaceOf,
  newestLetters,
  openLetterCodecs,
} from '../topics/find-letters.js';
import { replay } from '../topics/replay.js';
import type { Topology } from '../topology/index.js';
import { counted } from '../util/counted.js';
import { comparableText } from '../util/json-text.js';

export interface DeskOptions {
  readonly topology: Topology;
  readonly profile: Pick<OpenProfile, 'name' | 'driver' | 'sources' | 'schemas' | 'offsetsAt' | 'producer'>;
  /** The setting `deadLetterKey`. */
  readonly deadLetterKey: string;
  /** Whether details, keys and values may be shown. */
  readonly showsValues: boolean;
  /** Told of each action, and of each look at values. */
  onAction(line: string): void;
}

/** How many of the newest entries of the topic a look reads, and how many dead letters it shows. */
const LOOK_MAX = 10_000;
const LETTERS_MAX = 50;
const LOOKS_MAX = 4;
const REPLAYS_MAX = 20;
const SHOWN_CHARACTERS = 300;

/** A replay, and what it sends: what matches and lies before these offsets. */
interface Job {
  readonly selection: LetterSelection;
  ends: readonly number[];
  shown: Replay;
  isStopped: boolean;
}

/**
 * Reads and replays the dead letters of a topology while it runs, as `millrace dlq` does beside it. One replay at a time.
 *
 * Memory: one poll, 100 dead letters of a look, and a batch for each topic and partition that records go to.
 *
 * @throws MillraceError `config` where the dead letters go to no topic.
 */
export function openDeadLetterDesk(options: DeskOptions): DeadLetterDesk & { close(): Promise<void> } {
  const { topology, profile, showsValues, onAction } = options;
  const place = letterPlaceOf(topology, topology.name);
  const { topic } = place;
  const key = letterKey(options.deadLetterKey);
  const jobs: Job[] = [];
  let looks = 0;
  let begun = 0;
  let work: Promise<void> = Promise.resolve();

  const update = (job: Job, change: Partial<Replay>) => {
    job.shown = { ...job.shown, ...change };
  };
  const isUnderWay = ({ shown: { state } }: Job) => state === 'counting' || state === 'sending';
  const mustBeFree = () => {
    if (jobs.some(isUnderWay)) throw refusal('another replay is under way', 'wait until it has ended, or stop it');
  };
  const jobOf = (id: string): Job => {
    const job = jobs.find(({ shown }) => shown.id === id);
    if (job) return job;
    throw refusal(
      `there is no replay '${id}'`,
      `count again: the last ${REPLAYS_MAX} are kept, while the process runs`,
    );
  };

  async function* selected(job: Job): AsyncGenerator<FoundLetter> {
    const { again = false } = job.selection;
    const filter = filterOf(job.selection);
    const firsts = await profile.offsetsAt(topic, 'earliest');
    const entries = sum(job.ends) - sum(firsts);
    let read = 0;
    for await (const letter of findLetters(profile, topic, {}, key)) {
      if (job.isStopped) return;
      if (letter.offset >= (job.ends[letter.partition] ?? 0)) continue; // came after the count
      read += 1;
      update(job, { read: Math.min(1, read / entries) });
      if ((again || !letter.replayed) && matches(letter, filter)) yield letter;
    }
  }

  /** Does a step of a replay, which says itself how it ends. */
  const begin = (job: Job, step: () => Promise<Partial<Replay>>) => {
    work = step()
      .then((result) => update(job, { ...result, ...(job.isStopped && { state: 'stopped' }) }))
      .catch((error: unknown) => update(job, { state: 'failed', error: withHint(error) }))
      .then(() => {
        const { id, state, sent, error } = job.shown;
        if (state !== 'counted')
          onAction(`${id} ${state}: ${counted(sent, 'record')} sent${error ? ` (${error})` : ''}`);
      });
    return job.shown;
  };

  async function seen(selection: LetterSelection) {
    const { again = false } = selection;
    const filter = filterOf(selection);
    const [firsts, ends] = await Promise.all([
      profile.offsetsAt(topic, 'earliest'),
      profile.offsetsAt(topic, 'latest'),
    ]);
    const newest: FoundLetter[] = [];
    let scanned = 0;
    const letters = (async function* () {
      for await (const letter of newestLetters(profile, topic, LOOK_MAX, key)) {
        scanned += 1;
        if ((again || !letter.replayed) && matches(letter, filter)) newest.push(letter);
        if (newest.length === 2 * LETTERS_MAX) keepNewest(newest);
        yield letter;
      }
    })();
    const groups = await countLetters(letters);
    keepNewest(newest);
    const codecOf = showsValues ? await openLetterCodecs(place, profile.schemas) : undefined;
    return {
      topic,
      entries: sum(ends) - sum(firsts),
      scanned,
      groups: groups.slice(0, LETTERS_MAX),
      letters: await Promise.all(newest.map((letter) => seenLetter(letter, codecOf))),
    };
  }

  return {
    async look(selection, by) {
      if (looks === LOOKS_MAX) throw refusal('others are reading the dead letters', 'try again in a moment');
      looks += 1;
      try {
        if (showsValues) onAction(`${by} looks at the values of ${inWords(selection)} in ${topic}`);
        return await seen(selection);
      } finally {
        looks -= 1;
      }
    },
    count(selection, by) {
      mustBeFree();
      begun += 1;
      const shown: Replay = {
        ...{ id: `replay-${begun}`, state: 'counting', what: inWords(selection), by, startedMs: Date.now() },
        ...{ found: 0, sent: 0, read: 0, records: [], error: null },
      };
      const job: Job = { selection, ends: [], shown, isStopped: false };
      jobs.push(job);
      if (jobs.length > REPLAYS_MAX) jobs.shift();
      return begin(job, async () => {
        job.ends = await profile.offsetsAt(topic, 'latest');
        const records = await replay(selected(job), topic, undefined);
        return { state: 'counted', records, read: 1, found: sum(records.map((each) => each.records)) };
      });
    },
    send(id, by) {
      const job = jobOf(id);
      mustBeFree();
      if (job.shown.state !== 'counted') throw refusal(`${id} is ${job.shown.state}`, 'count again to send again');
      onAction(`${by} replays ${inWords(job.selection)} of ${topic}: ${id}, ${counted(job.shown.found, 'record')}`);
      update(job, { state: 'sending', read: 0 });
      return begin(job, async () => {
        const producer = profile.producer();
        try {
          await replay(selected(job), topic, {
            async append(to, partition, records) {
              await producer.append(to, partition, records);
              update(job, { sent: job.shown.sent + records.length });
            },
          });
        } finally {
          await producer.close();
        }
        return { state: 'sent', read: 1 };
      });
    },
    async stop(id, by) {
      const job = jobOf(id);
      if (!isUnderWay(job)) throw refusal(`${id} is ${job.shown.state}`, 'only what counts or sends can be stopped');
      onAction(`${by} stops ${id}`);
      job.isStopped = true;
      await work;
      return job.shown;
    },
    replays: () => jobs.map(({ shown }) => shown),
    async close() {
      for (const job of jobs) job.isStopped = true;
      await work;
    },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

const filterOf = ({ reason, step, places }: LetterSelection): LetterFilter => ({
  reason,
  step,
  places: places && new Set(places),
});

/** Leaves the newest ones by event time, the newest first. */
function keepNewest(letters: FoundLetter[]): void {
  letters.sort((a, b) => b.timestampMs - a.timestampMs || b.offset - a.offset);
  letters.splice(LETTERS_MAX);
}

async function seenLetter(letter: FoundLetter, codecOf: CodecOf | undefined): Promise<SeenLetter> {
  const { partition, offset, timestamp, reason, step, origin, replayed, bytes, ...facts } = await letterFacts(
    letter,
    codecOf ?? (() => undefined),
  );
  const { detail, key, raw, record = raw ?? '', value } = facts;
  return {
    place: `${partition}/${offset}`,
    ...{ timestamp, reason, step, replayed, bytes },
    origin: origin && `${origin.topic}/${origin.partition}/${origin.offset}`,
    values: codecOf && { detail, key, record: shortened(value === undefined ? record : comparableText(value)) },
  };
}

const shortened = (text: string): string =>
  text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;

function inWords({ reason, step, places, again }: LetterSelection): string {
  const parts = [
    places ? counted(places.length, 'chosen dead letter') : 'all dead letters',
    ...(reason === undefined ? [] : [`with reason ${JSON.stringify(reason)}`]),
    ...(step === undefined ? [] : [`of step ${JSON.stringify(step)}`]),
    ...(again ? ['also those sent before'] : []),
  ];
  return parts.join(', ');
}

const withHint = (error: unknown): string =>
  error instanceof MillraceError && error.hint ? `${messageOf(error)}; ${error.hint}` : messageOf(error);

const refusal = (message: string, hint: string): MillraceError =>
  new MillraceError('config', message, { where: 'replay', hint });
