import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { byTime, type DataSet } from './data-set.js';
import { stdlibDatasets } from './stdlib.js';

const FOLDER = 'spam-assassin/data';
/** Before this day only spam was collected. */
const START_MS = Date.UTC(2002, 6, 1);
const END_MS = Date.UTC(2003, 0, 1);
const SORTED_AFTER_MS = 12 * 3_600_000;

interface Mail {
  readonly group: string;
  readonly text: string;
}

/** Mail in the order in which it was received; its reader sorts it half a day later. */
export const spam: DataSet = {
  name: 'spam',
  topologies: ['spam'],
  revision: 1,
  about: 'SpamAssassin public mail corpus, July to December 2002, PDDL 1.0 and CC0',
  from: { package: stdlibDatasets, paths: [FOLDER] },
  async streams(folder) {
    const mails = await readMails(join(folder, FOLDER));
    const received = mails.map(({ group, text }) => ({ ...parsed(text), isSpam: group.startsWith('spam') }));
    const taken = received.filter(({ receivedAt: at }) => at >= START_MS && at < END_MS);
    const inOrder = byTime(taken, ({ receivedAt }) => receivedAt).map((mail, id) => ({ id, ...mail }));
    return {
      mails: inOrder.map(({ isSpam: _, ...mail }) => mail),
      sorted: inOrder.map(({ id, receivedAt, isSpam }) => ({ id, sortedAt: receivedAt + SORTED_AFTER_MS, isSpam })),
    };
  },
};

async function readMails(folder: string): Promise<Mail[]> {
  const mails: Mail[] = [];
  const entries = await readdir(folder, { recursive: true });
  for (const path of entries.filter((entry) => /\d\..*\.json$/.test(entry)).toSorted())
    mails.push(JSON.parse(await readFile(join(folder, path), 'utf8')) as Mail);
  return mails;
}

/** Who has sent it, what about, when it was received (0 where nobody says so), and the text. */
function parsed(text: string) {
  const end = text.search(/\r?\n\r?\n/);
  const head = text.slice(0, end).replaceAll(/\r?\n[ \t]+/g, ' ');
  const field = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1] ?? '';
  const times = [field('Received').split(';').at(-1) ?? '', field('Date')].map((time) => Date.parse(time));
  return {
    receivedAt: times.find((ms) => ms > 0) ?? 0,
    sender: field('From'),
    subject: field('Subject'),
    body: text.slice(end).trim(),
  };
}
