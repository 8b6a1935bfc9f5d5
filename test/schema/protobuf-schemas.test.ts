import { describe, expect, it } from 'vitest';
import { localRegistry, openCodec, protobuf } from '../../src/schema/index.js';

const open = (definition: string, message = 'M') =>
  openCodec(protobuf<Record<string, unknown>>({ subject: 's', definition, message, framing: 'none' }), localRegistry());
const message = (fields: string, imports = '') => `syntax = "proto3"; ${imports} message M { ${fields} }`;
const struct = 'import "google/protobuf/struct.proto";';

describe('protobuf names', () => {
  it("are those of Protobuf's own JSON", async () => {
    const names = {
      user_name: 'userName',
      address_line_1: 'addressLine1',
      foo_1_bar: 'foo1Bar',
      double__under: 'doubleUnder',
      _lead: 'Lead',
      trail_: 'trail',
      http_URL: 'httpURL',
      camelCase: 'camelCase',
      'own [json_name = "@id"]': '@id',
    };
    const fields = Object.keys(names).map((field, i) => {
      const [name, options = ''] = field.split(' [');
      return `int32 ${name} = ${i + 1}${options === '' ? '' : ` [${options}`};`;
    });
    const codec = await open(message(`${fields.join(' ')} oneof one { int32 of_1 = 20; int32 of_2 = 21; }`));
    const value = { ...Object.fromEntries(Object.values(names).map((name, i) => [name, i + 1])), of1: 7, of2: null };
    expect(codec.decode(codec.encode(value))).toEqual(value);
    expect(() => codec.encode({ of1: 1, of2: 2 })).toThrow(/of1 and of2/);
  });

  it('of the well-known types too', async () => {
    const codec = await open(message('google.protobuf.Any any = 1;', 'import "google/protobuf/any.proto";'));
    const value = { any: { typeUrl: 'type.googleapis.com/x.Y', value: Buffer.from('z') } };
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it('must be different', async () => {
    await expect(open(message('int32 foo_bar = 1; int32 fooBar = 2;'))).rejects.toThrow(
      'fields foo_bar and fooBar of M are both fooBar',
    );
    const codec = await open(message('int32 foo_bar = 1; int32 fooBar = 2 [json_name = "other"];'));
    expect(codec.decode(codec.encode({ fooBar: 1, other: 2 }))).toEqual({ fooBar: 1, other: 2 });
  });
});

describe('protobuf extensions', () => {
  it('of options are taken as the annotations that they are', async () => {
    const options = `
      import "google/protobuf/descriptor.proto";
      extend google.protobuf.FieldOptions { string pii = 50000; }
      extend google.protobuf.MessageOptions { repeated string owner = 50001; }`;
    const codec = await open(message('option (owner) = "shop"; string card = 1 [(pii) = "card"];', options));
    expect(codec.decode(codec.encode({ card: 'x' }))).toEqual({ card: 'x' });
  });

  it('of messages, and groups, are refused', async () => {
    const extended = 'syntax = "proto2"; message M { extensions 100 to 199; optional int32 a = 1; }';
    expect((await open(extended)).encode({ a: 1 })).toEqual(Buffer.from([8, 1]));
    await expect(open(`${extended} extend M { optional int32 b = 126; }`)).rejects.toThrow(
      'extension b of M is none of its own fields',
    );
    await expect(
      open('syntax = "proto2"; message M { optional group Foo = 1 { optional int32 a = 1; } }'),
    ).rejects.toThrow('is a group');
    const delimited = 'edition = "2023"; message N {} message M { N n = 1 [features.message_encoding = DELIMITED]; }';
    await expect(open(delimited)).rejects.toThrow('is a group');
  });
});

describe('protobuf values', () => {
  it('that are no JSON do not become empty objects', async () => {
    const codec = await open(message('google.protobuf.Struct s = 1; google.protobuf.Value v = 2;', struct));
    for (const value of [new Date(0), new Map([['a', 1]]), Buffer.from('x')]) {
      expect(() => codec.encode({ s: value })).toThrow(/is not a google.protobuf.Struct/);
      expect(() => codec.encode({ v: { inner: value } })).toThrow(/is not a google.protobuf.Value/);
    }
    expect(() => codec.encode({ s: [1] })).toThrow(/is not a google.protobuf.Struct/);
  });

  it('that a float would make infinite are refused', async () => {
    const codec = await open(message('float x = 1;'));
    expect(() => codec.encode({ x: -1e39 })).toThrow(/field x/);
    expect(codec.decode(codec.encode({ x: Number.NEGATIVE_INFINITY }))).toEqual({ x: Number.NEGATIVE_INFINITY });
  });
});
