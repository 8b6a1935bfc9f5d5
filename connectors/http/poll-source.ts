import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EARLIEST } from '../../src/core/checkpoint.js';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { RawRecord } from '../../src/core/record.js';
import type { SourceReader } from '../../src/core/source.js';
import { backOffMs, requestBackOff } from '../../src/util/retry.js';
import { causeOf, mayPass, retryAfterMs, textOf } from './answer.js';
import { deadline } from './deadline.js';
import type { Poll } from './kinds.js';
import { publicPartOf } from './public-part.js';

/** How long a poll of the runtime waits at most. */
const POLL_WAIT_MS = 100;

/** How long the reader tries before the task fails, and is opened again. */
export interface PollPatience {
  /** For a whole answer. */
  readonly timeoutMs: number;
  /** Tries of a request. */
  readonly attemptsMax: number;
}

export interface PollPlace {
  readonly cursor: string | null;
  readonly skip: number;
  /** Of the items that were read. */
  readonly digest: string;
}

interface Page {
  readonly cursor: string | null;
  readonly first: number;
  readonly items: readonly Uint8Array[];
}

/** Memory: the newest page, and those before it of which no checkpoint has the end. */
export class PollReader implements SourceReader {
  private readonly closing = new AbortController();
  private pages: Page[] = [];
  private cursor: string | null;
  /** What the newest answer said of where to go on. */
  private following: string | null = null;
  private taken: number;
  private next: number;
  private passOver: number;
  private mustMatch: string | undefined;
  private askAtMs = 0;
  /** The end of what the service has was seen. */
  private caughtUp = false;
  private failures = 0;

  constructor(
    private readonly options: Poll,
    private readonly task: {
      readonly bounded: boolean;
      readonly offset: number;
      readonly place: PollPlace | undefined;
    },
    private readonly patience: PollPatience = { timeoutMs: 30_000, attemptsMax: 8 },
  ) {
    const { place, offset } = task;
    this.next = offset === EARLIEST ? 0 : Math.max(0, offset);
    this.cursor = place?.cursor ?? null;
    this.taken = place?.skip ?? 0;
    this.mustMatch = place?.digest;
    // Without a place items are counted from the first page on.
    this.passOver = place === undefined ? this.next : 0;
  }

  get isBehind(): boolean {
    return !this.caughtUp;
  }

  async poll(recordsMax: number): Promise<{ readonly records: readonly RawRecord[]; readonly ended: boolean }> {
    for (;;) {
      if (this.closing.signal.aborted) return { records: [], ended: true };
      const page = this.pages.at(-1);
      if (page && this.taken < page.items.length) return { records: this.take(page, recordsMax), ended: false };
      const waitMs = this.askAtMs - performance.now();
      if (waitMs > 0) {
        await this.pause(Math.min(waitMs, POLL_WAIT_MS));
        if (waitMs > POLL_WAIT_MS) return { records: [], ended: this.closing.signal.aborted };
        continue;
      }
      const isLast = await this.ask();
      this.caughtUp ||= isLast;
      if (isLast) return { records: [], ended: this.task.bounded };
    }
  }

  sourceStateOf(offset: number): PollPlace | undefined {
    const index = this.pages.findLastIndex(({ first }) => first <= offset);
    const page = this.pages[index];
    if (page === undefined) return undefined;
    this.pages = this.pages.slice(index);
    const skip = Math.min(page.items.length, offset - page.first);
    return { cursor: page.cursor, skip, digest: digestOf(page.items.slice(0, skip)) };
  }

  async close(): Promise<void> {
    this.closing.abort();
  }

  private take(page: Page, recordsMax: number): RawRecord[] {
    const passed = Math.min(this.passOver, page.items.length - this.taken);
    this.passOver -= passed;
    this.taken += passed;
    const items = page.items.slice(this.taken, this.taken + recordsMax);
    this.taken += items.length;
    const timestampMs = Date.now();
    return items.map((value) => ({ offset: this.next++, timestampMs, key: null, value }));
  }

  /** Asks for the next page, or for the newest one again where there is none; whether there is nothing new. */
  private async ask(): Promise<boolean> {
    const asked = this.following ?? this.cursor;
    const answer = await this.request(asked);
    if (answer === undefined) return false; // and nothing has changed: what was read of the newest page stays read
    if (asked !== this.cursor) this.taken = 0;
    this.cursor = asked;
    const { items, cursor } = this.options;
    let texts: Uint8Array[];
    let next: string | null;
    try {
      texts = items(answer as never).map((item) => Buffer.from(JSON.stringify(item) ?? 'null'));
      const said = cursor?.next(answer as never);
      next = said === undefined || said === null ? null : String(said);
    } catch (cause) {
      throw this.error(
        `the answer is not as expected: ${messageOf(cause)}`,
        'do `items` and `next` fit it?',
        true,
        cause,
      );
    }
    const before = this.pages.at(-1);
    const isSame = before !== undefined && before.cursor === this.cursor;
    const wanted = isSame ? digestOf(before.items.slice(0, this.taken)) : this.mustMatch;
    if (wanted !== undefined && digestOf(texts.slice(0, this.taken)) !== wanted) {
      const hint = 'a page must begin with the same items in every request: choose another cursor, or begin anew';
      throw this.error('the page that was read last has other items now', hint, true);
    }
    this.mustMatch = undefined;
    const first = isSame ? before.first : this.next - this.passOver - this.taken;
    if (isSame) this.pages.pop();
    this.pages.push({ cursor: this.cursor, first, items: texts });
    this.following = next;
    if (this.taken < texts.length || (next !== null && next !== this.cursor)) return false;
    this.askAtMs = performance.now() + this.options.everyMs;
    return true;
  }

  /** `undefined` where it must be asked again later. */
  private async request(from: string | null): Promise<unknown> {
    const { url, cursor, headers, perSecondMax, bytesMax } = this.options;
    const address = new URL(url);
    if (cursor !== undefined && from !== null) address.searchParams.set(cursor.param, from);
    this.askAtMs = performance.now() + 1_000 / perSecondMax;
    let detail: string;
    let waitMs: number | undefined;
    const limit = deadline(this.patience.timeoutMs, this.closing.signal);
    try {
      const response = await fetch(address, {
        headers: { accept: 'application/json', ...headers?.() },
        redirect: 'manual', // what the headers hold is for this service alone
        signal: limit.signal,
      });
      const { status } = response;
      if (response.ok) {
        const text = await textOf(response, bytesMax);
        if (text === undefined) {
          throw this.error(
            `an answer of more than ${bytesMax} bytes`,
            'ask for smaller pages, or raise bytesMax',
            true,
          );
        }
        const answer = parsed(text);
        if (answer !== undefined) {
          this.failures = 0;
          return answer.json;
        }
        // A page of a proxy, or of a login that has ended: it may pass.
        detail = `status ${status} with what is no JSON (${response.headers.get('content-type') ?? 'of no type'})`;
      } else {
        await response.body?.cancel();
        detail = `status ${status}`;
        waitMs = retryAfterMs(response);
        if (!mayPass(status)) {
          throw this.error(`the service answers with ${detail}`, 'are address and headers what it wants?', true);
        }
      }
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      if (this.closing.signal.aborted) return undefined;
      detail = `no answer: ${causeOf(error)}`;
    } finally {
      limit.end();
    }
    this.failures += 1;
    if (this.failures >= this.patience.attemptsMax) throw this.error(detail, 'is the service up?', false);
    const ownMs = backOffMs(this.failures, { ...requestBackOff, waitMs: 100 }, Math.random);
    this.askAtMs = performance.now() + (waitMs ?? ownMs);
    return undefined;
  }

  private pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.closing.signal }).catch(() => undefined); // closed meanwhile
  }

  private error(message: string, hint: string, permanent: boolean, cause?: unknown): MillraceError {
    return new MillraceError('source', message, { where: publicPartOf(this.options.url), hint, permanent, cause });
  }
}

/** An answer as JSON; `undefined` where it is none. What it holds instead is in no message. */
function parsed(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function digestOf(items: readonly Uint8Array[]): string {
  const digest = createHash('sha256');
  for (const item of items) digest.update(item).update('\n');
  return digest.digest('base64url').slice(0, 16);
}
