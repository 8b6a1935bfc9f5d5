import type { Reader } from '@platformatic/kafka';

/**
 * Reads the tagged fields at the end of a structure (KIP-482), which the client's reader does not know. `read` gets the tag of each
 * field; what it leaves is skipped.
 */
export function readTaggedFields(reader: Reader, read: (tag: number) => void = () => undefined): void {
  for (let left = reader.readUnsignedVarInt(); left > 0; left--) {
    const tag = reader.readUnsignedVarInt();
    const end = reader.readUnsignedVarInt() + reader.position;
    read(tag);
    reader.skip(end - reader.position);
  }
}
