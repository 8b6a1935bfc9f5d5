import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offsetsOf } from '../../../examples/flights/local-time.js';

const local = (text: string): number => Date.parse(`${text}Z`);

describe('offsetsOf', () => {
  it.each([
    ['America/New_York', '2001-01-01T08:00', -300],
    ['America/New_York', '2001-04-01T01:59', -300],
    ['America/New_York', '2001-04-01T03:00', -240],
    ['America/New_York', '2001-06-30T23:59', -240],
    ['America/Phoenix', '2001-06-30T12:00', -420],
    ['America/Indiana/Indianapolis', '2001-06-30T12:00', -300],
    ['Pacific/Honolulu', '2001-05-01T00:00', -600],
    ['America/Puerto_Rico', '2001-05-01T00:00', -240],
    ['America/Anchorage', '2001-04-01T04:00', -480],
    ['Etc/UTC', '2001-04-01T04:00', 0],
    ['Asia/Kolkata', '2001-04-01T04:00', 330],
  ])('%s at %s is %d minutes from UTC', (zone, moment, minutes) => {
    expect(offsetsOf(zone)(local(moment))).toBe(minutes);
  });

  it('reads a local time that does not occur with the offset before the change', () => {
    expect(offsetsOf('America/New_York')(local('2001-04-01T02:30'))).toBe(-300);
  });

  it('takes a local time that occurs twice as the first of the two', () => {
    expect(offsetsOf('America/New_York')(local('2001-10-28T01:30'))).toBe(-240);
    expect(offsetsOf('America/New_York')(local('2001-10-28T02:00'))).toBe(-300);
  });

  it('goes back to the same local time, whatever was asked before', () => {
    const zones = ['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles', 'America/Anchorage'];
    const offsets = new Map(zones.map((zone) => [zone, offsetsOf(zone)]));
    const moments = fc.integer({ min: Date.UTC(2001, 0, 1) / 60_000, max: Date.UTC(2002, 0, 1) / 60_000 });
    fc.assert(
      fc.property(fc.constantFrom(...zones), moments, (zone, minute) => {
        const wanted = minute * 60_000;
        const offset = offsets.get(zone)?.(wanted) ?? Number.NaN;
        const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
        const there = Date.parse(`${format.format(wanted - offset * 60_000).replace(' ', 'T')}Z`);
        // Only the hour that the clocks skip has no way back.
        const skipped = wanted >= local('2001-04-01T02:00') && wanted < local('2001-04-01T03:00');
        expect(there).toBe(skipped ? wanted + 3_600_000 : wanted);
      }),
      { numRuns: 2_000 },
    );
  });
});
