import formats from 'ajv-formats/dist/formats.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUrl } from '../../src/schema/json-schema/is-url.js';
import { compileValidators } from '../../src/schema/json-schema/validate.js';

const { fullFormats } = formats as { readonly fullFormats: Readonly<Record<'url', RegExp>> };

describe('the format url', () => {
  it('says what the regular expression of ajv-formats says', () => {
    const piece = fc.constantFrom(
      ...['http://', 'https://', 'FTP://', 'a', 'ab', 'Z', '1', '10', '255', '192.168', '172.16', '9.9.9.9', '.', '..'],
      ...['-', ':', ':80', ':8', ':123456', '/', '@', 'u:p@', '?', '#', ' ', 'é', '\ud83d\ude00', '\ud800', '_', 'com'],
    );
    const start = fc.constantFrom('http://', 'https://a.', 'ftp://u@', 'http://10.0.', 'http://example.com', '');
    fc.assert(
      fc.property(start, fc.array(piece, { maxLength: 9 }), (scheme, pieces) => {
        const text = scheme + pieces.join('');
        expect([text, isUrl(text)]).toEqual([text, fullFormats.url.test(text)]);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each(['a', '.', 'a.', 'a-', ':', '@', 'a@', '@a.bc:', '1.', '/', 'a.bc:80@'])(
    'takes linear time where %j is repeated',
    (piece) => {
      const { reading } = compileValidators(
        { format: 'json-schema', text: '{"type":"string","format":"url"}', references: [] },
        'urls',
      );
      const startMs = performance.now();
      for (const head of ['http://', 'http://a@a.'])
        for (const tail of ['', '!']) reading(head + piece.repeat(100_000 / piece.length) + tail);
      expect(performance.now() - startMs).toBeLessThan(2_000);
    },
  );
});
