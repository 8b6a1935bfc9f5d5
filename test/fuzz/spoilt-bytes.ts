import type { Chance } from './chance.js';

const interesting = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, 0x22, 0x2c, 0x5b, 0x7b];

/** A copy of something good with some of its bytes changed, cut off, said again or put in, whatever they mean. */
export function spoilt(original: Uint8Array, { below, pick }: Chance): Buffer {
  let mutant = Buffer.from(original);
  for (let times = 1 + below(4); times > 0 && mutant.length > 0; times--) {
    const at = below(mutant.length);
    switch (below(8)) {
      case 0:
        mutant[at] = below(256);
        break;
      case 1:
        mutant[at] = pick(interesting);
        break;
      case 2:
        mutant = mutant.subarray(0, at);
        break;
      case 3:
        mutant = Buffer.concat([mutant.subarray(0, at), Buffer.alloc(below(12), 0xff), mutant.subarray(at)]);
        break;
      case 4:
        mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(at + below(4))]);
        break;
      case 5: {
        // A piece said again and again: what is nested gets deeper, what is counted gets longer.
        const piece = mutant.subarray(at, at + 1 + below(8));
        mutant = Buffer.concat([mutant.subarray(0, at), ...Array(1 + below(80)).fill(piece), mutant.subarray(at)]);
        break;
      }
      case 6:
        mutant[at] = (mutant[at] as number) ^ (1 << below(8));
        break;
      default:
        mutant = Buffer.concat([mutant, mutant.subarray(at)]);
    }
  }
  return mutant;
}
