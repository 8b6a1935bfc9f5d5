const SCHEME = /^(?:https?|ftp):\/\//i;
const PRIVATE = /^(?:10|127)\.|^(?:169\.254|192\.168)\.|^172\.(?:1[6-9]|2\d|3[01])\./;
const ADDRESS =
  /^(?:[1-9]\d?|1\d\d|2[01]\d|22[0-3])(?:\.(?:1?\d{1,2}|2[0-4]\d|25[0-5])){2}\.(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-4])$/;
const LABEL = /^[a-z0-9\u00a1-\uffff]+(?:-[a-z0-9\u00a1-\uffff]+)*$/iu;
const TOP_LEVEL = /^[a-z\u00a1-\uffff]{2,}$/iu;
const PORT = /:\d{2,5}(?![^/])/y;

/**
 * The format `url` of JSON Schema in linear time: an address of `http`, `https` or `ftp` with a public host.
 *
 * It gives the results of the regular expression in `ajv-formats`, whose time is quadratic or worse.
 */
export function isUrl(text: string): boolean {
  const scheme = SCHEME.exec(text);
  if (!scheme || /\s/.test(text)) return false;
  // Before an @ there may be anything, so each @ may be the one before the host. A host has none of / : @.
  for (let start = scheme[0].length; ; ) {
    const end = endOf(text, start);
    if (text[end] !== '@' && isHost(text.slice(start, end)) && isTail(text, end)) return true;
    const at = text.indexOf('@', Math.max(end, scheme[0].length + 1));
    if (at < 0) return false;
    start = at + 1;
  }
}

/** The end of a host that begins at `start`. */
function endOf(text: string, start: number): number {
  for (let at = start; at < text.length; at++) if ('/:@'.includes(text[at] as string)) return at;
  return text.length;
}

function isHost(host: string): boolean {
  if (ADDRESS.test(host)) return !PRIVATE.test(host);
  const labels = host.split('.');
  return labels.length > 1 && TOP_LEVEL.test(labels.pop() as string) && labels.every((label) => LABEL.test(label));
}

/** An optional port, then an optional path. */
function isTail(text: string, start: number): boolean {
  if (text[start] !== ':') return true;
  PORT.lastIndex = start;
  return PORT.test(text);
}
