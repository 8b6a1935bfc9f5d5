import { decodeImage, map, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Photo {
  readonly at: number;
  readonly id: string;
  /** In base64, since this topic is JSON; Avro and Protobuf have bytes. */
  readonly file: string;
}

/** Makes images of any size tensors of one; what is none is a dead letter. */
export const example = topology('decode-image', { deadLetters }, (t) => {
  t.source('photos', topic<Photo>('photos'))
    .via('pixels', decodeImage({ from: ({ file }) => Buffer.from(file, 'base64'), as: 'pixels', width: 2, height: 1 }))
    .via(
      'shown',
      map(({ id, pixels: { shape, data } }) => ({ id, shape, data: Array.from(data) })),
    )
    .to('out', out());
});

/** Two pixels: red and blue. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADUlEQVQI12P4zwAE/wEHAAH/GSbxIwAAAABJRU5ErkJggg==';

export const records = {
  photos: [
    { at: 0, id: 'two pixels', file: png },
    { at: 1, id: 'no photo', file: Buffer.from('hello').toString('base64') },
  ],
};

/* out
out  {"id": "two pixels", "shape": [3, 1, 2], "data": [1, 0, 0, 0, 0, 1]}
dead letter  image: the file is none of jpeg, png, webp, gif, avif, tiff
*/
