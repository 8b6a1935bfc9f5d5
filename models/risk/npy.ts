/** A matrix in NumPy's file format, version 1.0: a header in text, then the numbers in little-endian order. */
export function npyBytes(values: Float32Array | Float64Array, columns: number): Uint8Array[] {
  const type = values instanceof Float32Array ? '<f4' : '<f8';
  const facts = `{'descr': '${type}', 'fortran_order': False, 'shape': (${values.length / columns}, ${columns}), }`;
  // Magic, version and length take 10 bytes; the numbers start at a multiple of 64.
  const header = `${facts.padEnd(Math.ceil((facts.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return [
    Buffer.concat([start, Buffer.from(header, 'latin1')]),
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  ];
}
