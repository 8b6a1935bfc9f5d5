import { createServer } from 'node:http';
import { start } from 'millrace/run';
import { totals } from './totals.js';

const { DATA = 'data', PORT = '8080' } = process.env;
const app = await start(totals, { data: DATA, onWarning: (message) => console.warn(message) });

const server = createServer(async ({ url = '' }, response) => {
  const send = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const [, route, card = ''] = url.split('/');
  if (route === 'health') return send(app.health().status === 'ok' ? 200 : 503, app.health());
  if (route !== 'cards') return send(404, { error: 'try /cards/CARD' });
  const found = await app.query('totals', decodeURIComponent(card));
  if (found.kind === 'retry') return send(503, { error: found.why });
  if (found.kind === 'elsewhere') return response.writeHead(307, { location: `${found.address}${url}` }).end();
  return send(found.value === undefined ? 404 : 200, found.value ?? { error: 'nothing of this card today' });
});
server.listen(Number(PORT), '127.0.0.1');

process.once('SIGTERM', () => {
  server.close();
  void app.stop(); // drains, commits, closes; then the process has nothing left to do and ends
});
await app.finished; // rejects with the cause of a failure, which ends the process
