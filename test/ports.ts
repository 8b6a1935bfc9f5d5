import { probePort } from '../stack/ports.js';

/** Below the ports that systems hand out to outgoing connections. */
const FROM = 15_000;
const TO = 32_000;

/**
 * Free ports for servers that are ended and begun again on them: meanwhile nobody's outgoing connection can take one, as
 * it could a port that the system chose. Where to look first differs from process to process.
 */
export async function lastingPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count && tries < 1_000; tries++) {
    const port = FROM + ((process.pid * 131 + tried++) % (TO - FROM));
    const free = await probePort(port).then(
      () => true,
      () => false,
    );
    if (free) ports.push(port);
  }
  if (ports.length < count) throw new Error(`fewer than ${count} ports are free between ${FROM} and ${TO}`);
  return ports;
}

/** Ports given out before may not listen yet: no port is tried twice. */
let tried = 0;
