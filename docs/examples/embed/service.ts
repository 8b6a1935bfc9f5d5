import { createServer } from 'node:http';
import { start } from 'millrace/run';
import { totals } from './totals.js';

const { DATA = 'data', PORT = '8080' } = process.env;
const app = await start(totals, { data: DATA, onWarning: (message) => console.warn(message) });

async function answer(url: string): Promise<readonly [status: number, body: unknown]> {
  const [, route, card = ''] = url.split('/');
  if (route === 'health') return [app.health().status === 'ok' ? 200 : 503, app.health()];
  if (route !== 'cards') return [404, { error: 'try /cards/CARD' }];
  const found = await app.query('totals', decodeURIComponent(card));
  if (found.kind !== 'answer') return [503, found]; // not now, or another process has the card
  return found.value === undefined ? [404, { error: 'nothing of this card today' }] : [200, found.value];
}

const server = createServer(async ({ url = '' }, response) => {
  const [status, body] = await answer(url).catch((error) => [400, { error: String(error) }] as const);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
server.listen(Number(PORT), '127.0.0.1');

process.once('SIGTERM', () => {
  server.close();
  void app.stop(); // drains, commits, closes; then the process has nothing left to do and ends
});
await app.finished; // rejects with the cause of a failure, which ends the process
