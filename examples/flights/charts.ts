import type { CalibrationRow, HourRow } from './report-sql.js';
import {
  escaped,
  type Frame,
  figure,
  horizontalAxis,
  line,
  linear,
  path,
  px,
  spread,
  text,
  ticks,
  verticalAxis,
} from './svg.js';

/** One line of a chart by day. */
export interface Series {
  readonly name: string;
  /** Class of its colour. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

export const percent = (share: number, digits = 0): string => `${(share * 100).toFixed(digits)} %`;

// All charts are as wide as half the page, so that their texts come out equally large.
const wide: Frame = { width: 540, height: 290, left: 44, right: 92, top: 34, bottom: 48 };

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** `2001-01-08` as `8 Jan`. */
export const shortDate = (date: string): string =>
  `${Number(date.slice(8, 10))} ${monthNames[Number(date.slice(5, 7)) - 1] ?? ''}`;

/** Lines by day with a name at the end of each. */
export function dayChart(title: string, unit: string, days: readonly string[], series: readonly Series[]): string {
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  if (known.length === 0 || days.length === 0) return nothingToShow(title);
  const marks = ticks(Math.min(...known), Math.max(...known), 4);
  const bottom = wide.height - wide.bottom;
  const y = linear([marks[0] ?? 0, marks.at(-1) ?? 1], [bottom, wide.top]);
  const x = linear([0, Math.max(1, days.length - 1)], [wide.left, wide.width - wide.right]);
  const shown = series.filter(({ values }) => values.some((value) => value !== null));
  const ends = shown.map(({ values }) => {
    const at = values.findLastIndex((value) => value !== null);
    return { at, value: values[at] ?? 0 };
  });
  const labels = spread(
    ends.map(({ value }) => y(value)),
    16,
  );
  const digits = Math.max(...marks.map((mark) => (String(mark).split('.')[1] ?? '').length));
  return figure(wide, title, `${shown.map(({ name }) => name).join(', ')}, by day`, [
    verticalAxis(wide, y, marks, (mark) => mark.toFixed(digits), unit),
    horizontalAxis(wide, dayMarks(days, x), 'day of departure (UTC)'),
    ...shown.map(({ values, colour }) =>
      path(
        values.map((value, i) => [x(i), value === null ? null : y(value)]),
        colour,
      ),
    ),
    ...shown.map(({ name, colour, values }) => dots(name, colour, days, values, x, y)),
    ...shown.map(({ name, colour }, i) =>
      text(x(ends[i]?.at ?? 0) + 9, (labels[i] ?? 0) + 4, name, 'start', `label ${colour}`),
    ),
  ]);
}

/** Points with what a mouse that rests on one is told; for some weeks only, or they would hide the lines. */
function dots(
  name: string,
  colour: string,
  days: readonly string[],
  values: readonly (number | null)[],
  x: (i: number) => number,
  y: (value: number) => number,
): string {
  const radius = days.length > 45 ? 1.4 : 2.6;
  return values
    .map((value, i) =>
      value === null
        ? ''
        : `<circle class="dot ${colour}" cx="${px(x(i))}" cy="${px(y(value))}" r="${radius}"><title>${escaped(
            `${shortDate(days[i] ?? '')}, ${name}: ${value.toFixed(3)}`,
          )}</title></circle>`,
    )
    .join('');
}

function dayMarks(days: readonly string[], x: (i: number) => number): [number, string][] {
  const step = [1, 2, 7, 14, 28].find((size) => days.length / size <= 7) ?? 56;
  return days.flatMap((day, i) => (i % step === 0 ? [[x(i), shortDate(day)] satisfies [number, string]] : []));
}

const square: Frame = { width: 540, height: 380, left: 44, right: 18, top: 34, bottom: 48 };

/** What was promised against what happened; the area of a point is the number of predictions in its bin. */
export function calibrationChart(rows: readonly CalibrationRow[]): string {
  const title = 'Calibration';
  if (rows.length === 0) return nothingToShow(title);
  const bottom = square.height - square.bottom;
  const x = linear([0, 1], [square.left, square.width - square.right]);
  const y = linear([0, 1], [bottom, square.top]);
  const most = Math.max(...rows.map((row) => row.rows));
  const tenths = [0, 0.2, 0.4, 0.6, 0.8, 1];
  return figure(square, title, 'Observed late share over predicted probability in ten bins', [
    verticalAxis(square, y, tenths, (mark) => percent(mark), 'really late'),
    horizontalAxis(
      square,
      tenths.map((mark) => [x(mark), percent(mark)]),
      'predicted probability of being late',
    ),
    line(x(0), y(0), x(1), y(1), 'ideal'),
    path(
      rows.map((row) => [x(row.predicted), y(row.observed)]),
      'late',
    ),
    ...rows.map(
      (row) =>
        `<circle class="bubble late" cx="${px(x(row.predicted))}" cy="${px(y(row.observed))}" r="${px(
          3 + 13 * Math.sqrt(row.rows / most),
        )}"><title>${escaped(
          `${row.rows.toLocaleString('en-US')} flights: predicted ${percent(row.predicted, 1)}, really ${percent(row.observed, 1)}`,
        )}</title></circle>`,
    ),
  ]);
}

const hoursFrame: Frame = { width: 540, height: 380, left: 44, right: 8, top: 34, bottom: 48 };
/** Share of all flights below which an hour is left out: a dozen flights of the night would dwarf the rest. */
const hourShareMin = 0.001;

/** Late share by hour: what happened as bars, what was predicted as points. */
export function hourChart(hours: readonly HourRow[]): string {
  const title = 'Late share by hour of departure';
  const flights = hours.reduce((sum, row) => sum + row.rows, 0);
  const rows = hours.filter((row) => row.rows >= flights * hourShareMin);
  if (rows.length === 0) return nothingToShow(title);
  const marks = ticks(0, Math.max(...rows.flatMap((row) => [row.lateShare, row.predicted])), 5);
  const bottom = hoursFrame.height - hoursFrame.bottom;
  const y = linear([0, marks.at(-1) ?? 1], [bottom, hoursFrame.top]);
  const slot = (hoursFrame.width - hoursFrame.left - hoursFrame.right) / 24;
  const middle = (hour: number) => hoursFrame.left + slot * (hour + 0.5);
  const told = (row: HourRow) =>
    `<title>${escaped(
      `${row.hour}:00, ${row.rows.toLocaleString('en-US')} flights: really ${percent(row.lateShare, 1)}, predicted ${percent(row.predicted, 1)}`,
    )}</title>`;
  return figure(hoursFrame, title, 'Observed share as bars, mean prediction as points', [
    verticalAxis(hoursFrame, y, marks, (mark) => percent(mark), 'share of flights'),
    ...rows.map(
      (row) =>
        `<rect class="bar" x="${px(middle(row.hour) - slot * 0.36)}" y="${px(y(row.lateShare))}" width="${px(slot * 0.72)}" height="${px(
          bottom - y(row.lateShare),
        )}" rx="2">${told(row)}</rect>`,
    ),
    horizontalAxis(
      hoursFrame,
      [0, 3, 6, 9, 12, 15, 18, 21].map((hour) => [middle(hour), `${hour}`]),
      'hour of departure (UTC)',
    ),
    ...rows.map(
      (row) =>
        `<circle class="bubble late" cx="${px(middle(row.hour))}" cy="${px(y(row.predicted))}" r="4.5">${told(row)}</circle>`,
    ),
  ]);
}

const nothingToShow = (title: string): string =>
  `<p class="empty">${escaped(title)}: no flight has both a prediction and a label yet.</p>`;
