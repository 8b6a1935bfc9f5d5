import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// Takes every request, as fast as it can; ends with the process that started it.

const server = createServer((request, response) => {
  request.resume().once('end', () => response.writeHead(204).end());
});
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
process.on('disconnect', () => process.exit());
