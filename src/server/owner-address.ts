import { createHmac } from 'node:crypto';
import type { TaskElsewhere } from '../runtime/index.js';
import { isLoopback, isSame, urlOf } from '../util/http-access.js';
import { getOrInsert } from '../util/maps.js';

// Members of a group tell each other where their state is asked for. Whoever may join the group could name any address, and would
// be sent the token: so an address carries a proof that its process knows the token.

const proofOf = (url: string, topology: string, token: string): string =>
  createHmac('sha256', token)
    .update(JSON.stringify(['millrace state', topology, url]))
    .digest('base64url');

/** The address as the group is told of it. */
export const provenAddress = (url: string, topology: string, token: string | undefined): string =>
  token === undefined ? url : `${url}#${proofOf(url, topology, token)}`;

/** All interfaces of a machine: where others would ask themselves. */
const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];

/** What the group is told of a process; nothing without an address at which others reach it. */
export const addressInGroup = (
  { host, port }: { readonly host: string; readonly port: number },
  topology: string,
  token: string | undefined,
): string | undefined =>
  port === 0 || WILDCARDS.includes(host) ? undefined : provenAddress(urlOf(host, port), topology, token);

/** The URL of an address that can be believed: with its proof, or on loopback where there is no token. */
export function believedUrl(address: string, topology: string, token: string | undefined): string | undefined {
  const [url = '', proof = ''] = address.split('#');
  if (!URL.canParse(url)) return undefined;
  const believed =
    token === undefined ? isLoopback(new URL(url).hostname) : isSame(proof, proofOf(url, topology, token));
  return believed ? new URL(url).origin : undefined;
}

/** Where tasks run: by URLs that can be believed, and those for which there is none. */
export function placesOf(elsewhere: readonly TaskElsewhere[], topology: string, token: string | undefined) {
  const tasksOf = new Map<string, number[]>();
  const nowhere: number[] = [];
  for (const { address, partition } of elsewhere) {
    const believed = address === undefined ? undefined : believedUrl(address, topology, token);
    if (believed === undefined) nowhere.push(partition);
    else getOrInsert(tasksOf, believed, () => []).push(partition);
  }
  return { tasksOf, nowhere };
}
