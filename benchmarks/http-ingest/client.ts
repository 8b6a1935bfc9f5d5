import { Agent, request } from 'node:http';

/** What a process of clients is told to do. */
export interface Order {
  readonly port: number;
  readonly body: string;
  readonly requests: number;
  /** That wait for their answers beside each other. */
  readonly clients: number;
}

// Posts what it is told, in a process of its own, so that its work is not counted as the door's; ends with who started it.

const agent = new Agent({ keepAlive: true });

const post = ({ port, body }: Order): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ host: '127.0.0.1', port, method: 'POST', path: '/', agent, headers }, (response) => {
      if (response.statusCode !== 202) reject(new Error(`status ${response.statusCode}`));
      response.resume().once('end', resolve);
    });
    sent.once('error', reject);
    sent.end(body);
  });

process.on('message', async (order: Order) => {
  let left = order.requests;
  const client = async () => {
    while (left-- > 0) await post(order);
  };
  await Promise.all(Array.from({ length: order.clients }, client));
  process.send?.('done');
});
process.on('disconnect', () => process.exit());
