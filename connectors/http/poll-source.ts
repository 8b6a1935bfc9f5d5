import { createHash } from 'node:crypto';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { RawRecord } from '../../src/core/record.js';
import { type Polled, type SourceReader, sliceOfPoll } from '../../src/core/source.js';
import { pause } from '../../src/util/pause.js';
import { backOffMs, requestBackOff } from '../../src/util/retry.js';
import { causeOf, mayPass, retryAfterMs, textOf } from './answer.js';
import { deadline } from './deadline.js';
import type { Poll } from './kinds.js';
import { publicPartOf } from './public-part.js';

/** The longest wait of one poll of the runtime. */
const POLL_WAIT_MS = 100;

/** The limits of the reader's requests; beyond them the task fails and is reopened. */
export interface RequestLimits {
  /** For a whole response. */
  readonly timeoutMs: number;
  /** Tries of a request in all. */
  readonly attemptsMax: number;
  /** The longest pause that the service may ask for. */
  readonly retryAfterMaxMs: number;
}

/** Quotas count by the hour, so a service may mean an hour. It does not mean a year. */
const LIMITS: RequestLimits = { timeoutMs: 30_000, attemptsMax: 8, retryAfterMaxMs: 3_600_000 };

export interface PollSourceState {
  readonly cursor: string | null;
  readonly skip: number;
  /** The digest of the items that were read. */
  readonly digest: string;
}

interface Page {
  readonly cursor: string | null;
  readonly first: number;
  readonly items: readonly Uint8Array[];
}

/** Memory: the newest page, and earlier pages whose end no checkpoint has stored. */
export class PollReader implements SourceReader {
  private readonly closing = new AbortController();
  private pages: Page[] = [];
  private cursor: string | null;
  /** The cursor of the next page, from the newest response. */
  private following: string | null = null;
  private taken: number;
  private next: number;
  private passOver: number;
  private mustMatch: string | undefined;
  private askAtMs = 0;
  /** Whether the last page was reached. */
  private caughtUp = false;
  private failures = 0;

  constructor(
    private readonly options: Poll,
    private readonly task: {
      readonly bounded: boolean;
      readonly offset: number;
      readonly sourceState: PollSourceState | undefined;
    },
    private readonly limits: RequestLimits = LIMITS,
  ) {
    const { sourceState, offset } = task;
    this.next = Math.max(0, offset); // `EARLIEST` is negative
    this.cursor = sourceState?.cursor ?? null;
    this.taken = sourceState?.skip ?? 0;
    this.mustMatch = sourceState?.digest;
    // Without a source state items are counted from the first page.
    this.passOver = sourceState === undefined ? this.next : 0;
  }

  get isBehind(): boolean {
    return !this.caughtUp;
  }

  async poll(recordsMax: number, bytesMax = Number.POSITIVE_INFINITY): Promise<Polled> {
    for (;;) {
      if (this.closing.signal.aborted) return { records: [], ended: true };
      const page = this.pages.at(-1);
      if (page && this.taken < page.items.length)
        return { records: this.take(page, recordsMax, bytesMax), ended: false };
      const waitMs = this.askAtMs - performance.now();
      if (waitMs > 0) {
        await pause(Math.min(waitMs, POLL_WAIT_MS), this.closing.signal);
        if (waitMs > POLL_WAIT_MS) return { records: [], ended: this.closing.signal.aborted };
        continue;
      }
      const isLast = await this.ask();
      this.caughtUp ||= isLast;
      if (isLast) return { records: [], ended: this.task.bounded };
    }
  }

  sourceStateOf(offset: number): PollSourceState | undefined {
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

  private take(page: Page, recordsMax: number, bytesMax: number): RawRecord[] {
    const passed = Math.min(this.passOver, page.items.length - this.taken);
    this.passOver -= passed;
    this.taken += passed;
    const items = sliceOfPoll(page.items, this.taken, recordsMax, bytesMax, (item) => item.length);
    this.taken += items.length;
    const timestampMs = Date.now();
    return items.map((value) => ({ offset: this.next++, timestampMs, key: null, value }));
  }

  /** Requests the next page, or the last one again if there is none. Resolves with whether there is something new. */
  private async ask(): Promise<boolean> {
    const asked = this.following ?? this.cursor;
    const answer = await this.request(asked);
    if (answer === undefined) return false; // the state of the newest page is unchanged
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
      const hint =
        'a page must begin with the same items in every request: choose another cursor, or give the source another id';
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

  /** `undefined` if it must be requested again later. */
  private async request(from: string | null): Promise<unknown> {
    const { url, cursor, headers, perSecondMax, bytesMax } = this.options;
    const address = new URL(url);
    if (cursor !== undefined && from !== null) address.searchParams.set(cursor.param, from);
    this.askAtMs = performance.now() + 1_000 / perSecondMax;
    let detail: string;
    let waitMs: number | undefined;
    const limit = deadline(this.limits.timeoutMs, this.closing.signal);
    try {
      const response = await fetch(address, {
        headers: { accept: 'application/json', ...headers?.() },
        redirect: 'manual', // the headers may hold secrets for this service only
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
        // A proxy's error page, or a login page: it may pass.
        detail = `status ${status} and a body that is not JSON (${response.headers.get('content-type') ?? 'of no type'})`;
      } else {
        await response.body?.cancel();
        detail = `status ${status}`;
        waitMs = retryAfterMs(response);
        if (!mayPass(status)) {
          throw this.error(`the service answered with ${detail}`, 'check the address and the headers', true);
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
    if (this.failures >= this.limits.attemptsMax) throw this.error(detail, 'is the service up?', false);
    const ownMs = backOffMs(this.failures, { ...requestBackOff, waitMs: 100 }, Math.random);
    this.askAtMs = performance.now() + Math.min(waitMs ?? ownMs, this.limits.retryAfterMaxMs);
    return undefined;
  }

  private error(message: string, hint: string, permanent: boolean, cause?: unknown): MillraceError {
    return new MillraceError('source', message, { where: publicPartOf(this.options.url), hint, permanent, cause });
  }
}

/** A response as JSON; `undefined` if it is not JSON. Messages never contain its text. */
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
