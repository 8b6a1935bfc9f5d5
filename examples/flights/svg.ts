// The few drawing primitives that the report's charts share. Colours come from the page's style sheet by class, so
// that light and dark follow the reader's setting.

export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Coordinates need no more than a tenth of a pixel. */
export const px = (n: number): string => String(Math.round(n * 10) / 10);

/** The inner area of a chart, in the units of its view box. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export type Scale = (value: number) => number;

export const linear = (from: readonly [number, number], to: readonly [number, number]): Scale => {
  const slope = (to[1] - to[0]) / (from[1] - from[0] || 1);
  return (value) => to[0] + (value - from[0]) * slope;
};

/**
 * Round numbers that cover a range with about `count` steps.
 *
 * @example
 * ticks(0.52, 0.79, 4); // [0.5, 0.6, 0.7, 0.8]
 */
export function ticks(min: number, max: number, count: number): number[] {
  const span = max - min || 1;
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10);
  const first = Math.floor(min / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(max / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

export const text = (
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  kind = 'tick',
): string => `<text class="${kind}" x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;

export const line = (x1: number, y1: number, x2: number, y2: number, kind: string): string =>
  `<line class="${kind}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"/>`;

/** A line through points; a gap where a value is missing. */
export function path(points: readonly (readonly [x: number, y: number | null])[], kind: string): string {
  let pen = 'M';
  let d = '';
  for (const [x, y] of points) {
    if (y === null) {
      pen = 'M';
      continue;
    }
    d += `${pen}${px(x)} ${px(y)}`;
    pen = 'L';
  }
  return `<path class="line ${kind}" d="${d}"/>`;
}

/** A whole chart: its title and description are what a screen reader says. */
export const figure = (frame: Frame, title: string, description: string, body: readonly string[]): string => `
<svg viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="${escaped(`${title}. ${description}`)}">
${body.join('\n')}
</svg>`;

/** Horizontal grid lines with their values, and the name of the axis above them. */
export function verticalAxis(
  frame: Frame,
  y: Scale,
  values: readonly number[],
  format: (n: number) => string,
  name: string,
): string {
  const right = frame.width - frame.right;
  return [
    ...values.map((value) => line(frame.left, y(value), right, y(value), 'grid')),
    ...values.map((value) => text(frame.left - 8, y(value) + 4, format(value), 'end')),
    text(0, frame.top - 18, name, 'start', 'axis'),
  ].join('\n');
}

/** Marks along the bottom, and the name of the axis below them. */
export function horizontalAxis(
  frame: Frame,
  marks: readonly (readonly [x: number, label: string])[],
  name: string,
): string {
  const bottom = frame.height - frame.bottom;
  return [
    line(frame.left, bottom, frame.width - frame.right, bottom, 'base'),
    ...marks.map(([x]) => line(x, bottom, x, bottom + 4, 'base')),
    ...marks.map(([x, label]) => text(x, bottom + 18, label, 'middle')),
    text((frame.left + frame.width - frame.right) / 2, bottom + 38, name, 'middle', 'axis'),
  ].join('\n');
}

/**
 * Moves labels apart that would overlap, each as little as the order from top to bottom allows.
 *
 * @param places Wanted heights; the answer keeps their order.
 */
export function spread(places: readonly number[], gap: number): number[] {
  const order = places.map((place, index) => ({ place, index })).sort((a, b) => a.place - b.place);
  const moved: number[] = new Array(places.length).fill(0);
  let last = Number.NEGATIVE_INFINITY;
  for (const { place, index } of order) {
    last = Math.max(place, last + gap);
    moved[index] = last;
  }
  return moved;
}
