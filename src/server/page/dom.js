// What all parts of the page use: elements, texts of figures, tables, requests. Values become text only.

const SVG = 'http://www.w3.org/2000/svg';

export const byId = (id) => document.getElementById(id);
const words = new Intl.NumberFormat('en', { maximumFractionDigits: 1, notation: 'compact' });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const rate = (value) =>
  value < 0.05 ? '0' : value < 10 ? value.toFixed(1) : value < 100_000 ? whole.format(value) : words.format(value);
export const count = (value) => (value < 1e7 ? whole.format(value) : words.format(value));
/** For where there is little room. */
export const brief = (value) => (value < 1_000 ? whole : words).format(value);
export const millis = (value) =>
  value < 1_000 ? `${value < 10 ? value.toFixed(1) : whole.format(value)} ms` : `${(value / 1_000).toFixed(1)} s`;
/** Clocks of records count whole milliseconds. */
export const age = (value) => (value < 1 ? '<1 ms' : millis(value));
export const bytes = (value) => {
  const [unit, size] = value < 1e3 ? ['B', 1] : value < 1e6 ? ['kB', 1e3] : value < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  return `${size === 1 ? value : (value / size).toFixed(value / size < 100 ? 1 : 0)} ${unit}`;
};
export const percent = (value) => `${Math.round(value * 100)} %`;
export const measure = (value) =>
  Math.abs(value) >= 1_000 ? count(value) : value.toPrecision(4).replace(/\.?0+$/, '');
export const time = (ms) => new Date(ms).toISOString().replace('T', ' ').slice(0, 16);
export const moment = (ms) => new Date(ms).toISOString().replace('T', ' ').slice(0, 19);
export const duration = (seconds) => {
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  if (hours >= 48) return `${whole.format(hours / 24)} days`;
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
};

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
export function drawn(name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
/** Changes a text only if it differs, so that the browser has nothing to do otherwise. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Columns whose heads begin with a # hold numbers. A cell is a text, or an element that is made once and stays as long as its key does.
 */
export function rows(table, heads, values, empty) {
  const isNumber = heads.map((head) => head.startsWith('#'));
  const hasHead = heads.length > 0 && values.length > 0;
  const keys = values.flat().flatMap((cell) => (typeof cell === 'string' ? [] : [cell.key]));
  const shape = JSON.stringify([heads, values.length, keys]);
  if (table.dataset.shape === shape) {
    for (const [i, cells] of values.entries()) {
      const row = table.rows[i + (hasHead ? 1 : 0)];
      for (const [column, cell] of cells.entries()) if (typeof cell === 'string') say(row.cells[column], cell);
    }
    return;
  }
  table.dataset.shape = shape;
  const head = element(
    'tr',
    {},
    ...heads.map((text, i) => element('th', isNumber[i] ? { class: 'number' } : {}, text.replace('#', ''))),
  );
  const body =
    values.length === 0 && empty
      ? [element('tr', {}, element('td', { class: 'empty', colspan: Math.max(1, heads.length) }, empty))]
      : values.map((cells) =>
          element(
            'tr',
            {},
            ...cells.map((cell, i) =>
              element('td', isNumber[i] ? { class: 'number' } : {}, typeof cell === 'string' ? cell : cell.make()),
            ),
          ),
        );
  table.replaceChildren(...(hasHead ? [head] : []), ...body);
}

/** A table of what happened, hidden while it is empty. */
export function happened(name, heads, values) {
  byId(`${name}-of`).hidden = values.length === 0;
  rows(byId(name), heads, values);
}

/** Sends a request; throws what it is answered with if that is an error. */
export async function ask(path, body) {
  // What may well be refused comes as a success with its status in a header: a browser logs other answers as errors.
  const headers = { 'millrace-page': 'on', ...(body && { 'content-type': 'application/json' }) };
  const answer = await fetch(path, { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) });
  const said = await answer.json();
  if (!answer.ok || answer.headers.has('millrace-status'))
    throw new Error([said.message ?? said.error ?? said.retry, said.hint].filter(Boolean).join('; '));
  return said;
}
