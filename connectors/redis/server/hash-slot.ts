/** The slots of a Redis Cluster. Keys of one slot are on one node, and one script call may touch them together. */
export const SLOTS = 16_384;

/** CRC-16/XMODEM, table per byte. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** The slot of a key: the hash of the part in its first braces, if not empty, otherwise of the whole key. */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const hashed = Buffer.from(close > open + 1 ? key.slice(open + 1, close) : key);
  let crc = 0;
  for (const byte of hashed) crc = ((crc << 8) ^ (table[((crc >> 8) ^ byte) & 0xff] as number)) & 0xffff;
  return crc % SLOTS;
}

/** A short text in each slot, for use as a hash tag between braces. The table is computed at first use, in about 20 ms. */
export const tagOf = (slot: number): string => {
  tags ??= allTags();
  return tags[slot] as string;
};

let tags: readonly string[] | undefined;

function allTags(): string[] {
  const found: string[] = Array.from({ length: SLOTS }, () => '');
  for (let n = 0, missing = SLOTS; missing > 0; n++) {
    const tag = n.toString(36);
    const slot = slotOf(tag);
    if (found[slot] !== '') continue;
    found[slot] = tag;
    missing--;
  }
  return found;
}
