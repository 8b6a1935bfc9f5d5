// The drawing: a box for each node of the topology, made once, and its figures.

import { age, brief, byId, count, drawn, rate, say } from './dom.js';

/** Boxes that are not on the screen get new figures with every so many pictures. */
const AWAY_PICTURES = 5;

const boxes = new Map();
const lines = [];
/** The boxes on the screen. The browser has to lay out each text that changes, so the others change less often. */
const onScreen = new Set();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const { id } = target.dataset;
    if (!isIntersecting) onScreen.delete(id);
    else if (!onScreen.has(id)) {
      onScreen.add(id);
      fillBox(id);
    }
  }
});
let graph;
let picture;
let pictures = 0;

export const nodeOf = (id) => boxes.get(id).node;
export const focusOn = (id) => boxes.get(id).group.focus();

/** Gives the boxes the figures of a picture. */
export function fillBoxes(newest) {
  picture = newest;
  pictures += 1;
  for (const [i, id] of [...boxes.keys()].entries())
    if (onScreen.has(id) || (pictures + i) % AWAY_PICTURES === 0) fillBox(id);
  for (const { from, line } of lines) line.classList.toggle('flows', (picture.nodes[from]?.outRate ?? 0) > 0.05);
}

/** Where the bar begins: sources and sinks are round at their ends. */
const insetOf = ({ role }) => (role === 'source' || role === 'sink' ? 16 : 8);

function fillBox(id) {
  if (!picture) return;
  const { node, group, figures, bad, p99, busy, backpressured } = boxes.get(id);
  const { nodes, sinksDown, silent, bottleneck } = picture;
  const isDown = sinksDown.some(({ sink }) => sink === id) || silent.some((each) => each.id === id);
  group.classList.toggle('down', isDown);
  group.classList.toggle('bottleneck', bottleneck?.id === id);
  const of = nodes[id];
  if (!of) return;
  say(figures, `${rate(node.role === 'source' ? of.inRate : of.outRate)}/s · ${count(of.out)}`);
  say(p99, of.latency ? `p99 ${age(of.latency.p99)}` : '');
  say(bad, of.deadLetters > 0 ? `${brief(of.deadLetters)} dead` : '');
  const inset = insetOf(node);
  const [busyWidth, waitWidth] = [of.shares?.busy ?? 0, of.shares?.backpressured ?? 0].map((share) =>
    Math.round(share * (node.width - 2 * inset)),
  );
  busy.setAttribute('width', String(busyWidth));
  backpressured.setAttribute('x', String(inset + busyWidth));
  backpressured.setAttribute('width', String(waitWidth));
}

function path(points) {
  const [first, ...rest] = points;
  let at = `M${first[0]},${first[1]}`;
  for (let i = 0; i < rest.length; i++) {
    const [x, y] = rest[i];
    const next = rest[i + 1];
    // Through the middle of two points, so that a line bends and does not break.
    at += next ? ` Q${x},${y} ${(x + next[0]) / 2},${(y + next[1]) / 2}` : ` L${x},${y}`;
  }
  return at;
}

const shortened = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** Draws a topology; `select` is told of the box that somebody has chosen. */
export function draw(drawing, select) {
  graph = drawing;
  boxes.clear();
  onScreen.clear();
  watcher.disconnect();
  lines.length = 0;
  const svg = drawn('svg', { width: graph.width, height: graph.height, viewBox: `0 0 ${graph.width} ${graph.height}` });
  for (const { from, to, name, points } of graph.edges) {
    const line = drawn('path', { d: path(points), class: `edge${name ? ' further' : ''}` });
    line.append(drawn('title', {}, `${from} to ${to}${name ? ` (${name})` : ''}`));
    lines.push({ from, line });
    svg.append(line);
  }
  for (const node of graph.nodes) {
    const { id, role, kind, x, y, width, height, keepsState } = node;
    const label = `${role} ${id}, ${kind}`;
    const group = drawn('g', {
      class: `node ${role}${keepsState ? ' keeps' : ''}`,
      transform: `translate(${x},${y})`,
      tabindex: 0,
      role: 'button',
      'data-id': id,
    });
    const title = drawn('title', {}, keepsState ? `${label}; it keeps state` : label);
    const bar = { x: insetOf(node), y: height - 6, width: 0, height: 3 };
    const busy = drawn('rect', { class: 'busy', ...bar });
    const backpressured = drawn('rect', { class: 'backpressured', ...bar });
    const figures = drawn('text', { class: 'small', x: 12, y: 49 }, 'no data yet');
    const bad = drawn('text', { class: 'bad', x: width - 12, y: 63, 'text-anchor': 'end' });
    const p99 = drawn('text', { class: 'small', x: 12, y: 63 });
    group.append(
      title,
      drawn('rect', { class: 'box', width, height }),
      drawn('text', { x: 12, y: 19 }, shortened(id, 18)),
      drawn('text', { class: 'small', x: 12, y: 34 }, shortened(kind, 22)),
      figures,
      bad,
      p99,
      busy,
      backpressured,
    );
    group.addEventListener('click', () => select(id));
    group.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') select(id);
      const next = nextTo(id, event.key);
      if (next) boxes.get(next).group.focus();
      // Enter would press what has the focus then: the button that closes.
      if (next || event.key === ' ' || event.key === 'Enter') event.preventDefault();
    });
    boxes.set(id, { node, group, figures, bad, p99, busy, backpressured });
    svg.append(group);
    watcher.observe(group);
  }
  // It fills the page, and is scrolled where its texts would become too small.
  svg.style.maxWidth = `${graph.width}px`;
  svg.style.minWidth = `${Math.round(graph.width * 0.75)}px`;
  byId('graph').replaceChildren(svg);
  say(byId('topology'), graph.topology);
  document.title = `${graph.topology} – Millrace`;
}

/** Arrow keys follow the lines, and go up and down within a layer. */
function nextTo(id, key) {
  if (key === 'ArrowRight') return graph.edges.find(({ from }) => from === id)?.to;
  if (key === 'ArrowLeft') return graph.edges.find(({ to }) => to === id)?.from;
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step === undefined) return undefined;
  const { x } = boxes.get(id).node;
  const layer = graph.nodes.filter((node) => node.x === x).sort((a, b) => a.y - b.y);
  return layer[layer.findIndex((node) => node.id === id) + step]?.id;
}
