// Writes IPNS records of the kinds on which readers came to differ, with what js-ipns says of each: times with offsets and long
// fractions, TTL and sequence missing or huge, CBOR and protobuf in other than their usual form. judge_record_kinds.go adds records
// that boxo made, and boxo's verdict on all. Keys come from fixed seeds, except the RSA one, which is new with each run.
//   tools/peers --node js tests/vectors/make_record_kinds.mjs >kinds.json
//   cd tests/interop/peers/kubo && go run ../../../vectors/judge_record_kinds.go <kinds.json >../../../vectors/record_kinds.json
// `ours` is there where ipnscast's verdict is another one than boxo's, and says why.
import { createHash } from 'node:crypto';
import { generateKeyPair, generateKeyPairFromSeed, privateKeyFromRaw } from '@libp2p/crypto/keys';
import { publicKeyToProtobuf } from '@libp2p/crypto/keys';
import { createIPNSRecordWithExpiration, marshalIPNSRecord, multihashToIPNSRoutingKey } from 'ipns';
import { ipnsValidator } from 'ipns/validator';
import { CID } from 'multiformats/cid';

const seed = (text) => createHash('sha256').update(`ipnscast test vector ${text}`).digest();
const key = await generateKeyPairFromSeed('Ed25519', seed('ed25519'));
const other = await generateKeyPairFromSeed('Ed25519', seed('another'));
const secp256k1 = privateKeyFromRaw(seed('secp256k1'));
const rsa = await generateKeyPair('RSA', 2048);
const content = '/ipfs/bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am';
const future = '2100-01-02T03:04:05.678901234Z';

const records = [];
async function add(what, bytes, { as = key, ours } = {}) {
  let js_ipns = 'valid';
  try {
    await ipnsValidator(multihashToIPNSRoutingKey(as.publicKey.toMultihash()), bytes);
  } catch (error) {
    js_ipns = error.name;
  }
  records.push({ what, name: as.publicKey.toCID().toString(), js_ipns, ...(ours && { ours }), record: Buffer.from(bytes).toString('base64') });
}

// Times. js-ipns would bring them into its own form before it signs, so records are put together byte by byte.
const times = {
  'offset +00:00': '2100-01-02T03:04:05+00:00',
  'offset -00:00': '2100-01-02T03:04:05-00:00',
  'offset +01:00': '2100-01-02T03:04:05+01:00',
  'offset -08:00': '2100-01-02T03:04:05-08:00',
  'offset +05:45': '2100-01-02T03:04:05+05:45',
  'offset +14:00': '2100-01-02T03:04:05+14:00',
  'offset +23:59': '2100-01-02T03:04:05+23:59',
  'offset -23:59': '2100-01-02T03:04:05-23:59',
  'offset +24:00': '2100-01-02T03:04:05+24:00',
  'offset -24:60': '2100-01-02T03:04:05-24:60',
  'offset +25:00': '2100-01-02T03:04:05+25:00',
  'offset +00:61': '2100-01-02T03:04:05+00:61',
  'offset +0100': '2100-01-02T03:04:05+0100',
  'offset +01': '2100-01-02T03:04:05+01',
  'offset +1:00': '2100-01-02T03:04:05+1:00',
  'offset with another minus': '2100-01-02T03:04:05\u221208:00',
  'offset after Z': '2100-01-02T03:04:05Z+01:00',
  'an offset that makes it expired': '2020-01-01T00:30:00+01:00',
  'a fraction of 1 digit': '2100-01-02T03:04:05.6Z',
  'a fraction of 3 digits': '2100-01-02T03:04:05.678Z',
  'a fraction of 9 digits': '2100-01-02T03:04:05.678901234Z',
  'a fraction of 10 digits': '2100-01-02T03:04:05.6789012345Z',
  'a fraction of 12 digits': '2100-01-02T03:04:05.678901234999Z',
  'a fraction of 12 nines': '2100-01-02T03:04:05.999999999999Z',
  'a fraction of 100 digits': `2100-01-02T03:04:05.${'7'.repeat(100)}Z`,
  'a fraction of 12 digits and an offset': '2100-01-02T03:04:05.000000000999+02:00',
  'a fraction after a comma': '2100-01-02T03:04:05,5Z',
  'a fraction without digits': '2100-01-02T03:04:05.Z',
  'two fractions': '2100-01-02T03:04:05.5.5Z',
  'an hour of one digit': '2100-01-02T3:04:05Z',
  'a minute of one digit': '2100-01-02T03:4:05Z',
  'a month of one digit': '2100-1-02T03:04:05Z',
  'hour 24': '2100-01-02T24:00:00Z',
  'minute 60': '2100-01-02T03:60:00Z',
  'second 60': '2100-01-02T03:04:60Z',
  'month 0': '2100-00-02T03:04:05Z',
  'month 13': '2100-13-02T03:04:05Z',
  'day 0': '2100-01-00T03:04:05Z',
  'the 29th of February of a leap year': '2096-02-29T03:04:05Z',
  'the 29th of February of another year': '2100-02-29T03:04:05Z',
  'the last second that has four digits for the year': '9999-12-31T23:59:59.999999999Z',
  'a second of the year 10000 by its offset': '9999-12-31T23:59:59-24:00',
  'a year of five digits': '12100-01-02T03:04:05Z',
  'a year with a sign': '+100-01-02T03:04:05Z',
  'the year 0': '0000-01-01T00:00:00Z',
  'a small t': '2100-01-02t03:04:05Z',
  'a small z': '2100-01-02T03:04:05z',
  'a space for the T': '2100-01-02 03:04:05Z',
  'no zone': '2100-01-02T03:04:05',
  'a named zone': '2100-01-02T03:04:05UTC',
  'a space before': ' 2100-01-02T03:04:05Z',
  'a space behind': '2100-01-02T03:04:05Z ',
  'a line break behind': '2100-01-02T03:04:05Z\n',
  'only a date': '2100-01-02',
  'seconds since 1970': '4102542245',
  'no time at all': '',
};
const bytes = (...parts) => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))));
function head(major, argument, least = 0) {
  let n = BigInt(argument);
  const size = Math.max(least, n < 24n ? 0 : n < 256n ? 1 : n < 65536n ? 2 : n < 2n ** 32n ? 4 : 8);
  if (size === 0) return Buffer.from([(major << 5) | Number(n)]);
  const out = Buffer.alloc(1 + size);
  out[0] = (major << 5) | { 1: 24, 2: 25, 4: 26, 8: 27 }[size];
  for (let i = size; i > 0; --i, n >>= 8n) out[i] = Number(n & 255n);
  return out;
}
const int = (n, least) => (BigInt(n) < 0n ? head(1, -1n - BigInt(n), least) : head(0, n, least));
const blob = (value) => bytes(head(2, Buffer.from(value).length), value);
const text = (value) => bytes(head(3, Buffer.from(value).length), value);
const list = (...items) => bytes(head(4, items.length), ...items);
const map = (members) => bytes(head(5, members.length), ...members.flatMap(([name, value]) => [typeof name === 'string' ? text(name) : name, value]));
const usual = () => [['TTL', int(60_000_000_000)], ['Value', blob(content)], ['Sequence', int(1)], ['Validity', blob(future)], ['ValidityType', int(0)]];
const but = (name, value) => usual().flatMap(([member, was]) => (member !== name ? [[member, was]] : value === undefined ? [] : [[member, value]]));
const and = (name, value) => [...usual(), [name, value]];

function varint(value, width = 0) {
  let n = BigInt(value);
  const out = [];
  for (; n >= 128n || out.length + 1 < width; n >>= 7n) out.push(Number(n & 127n) | 128);
  return Buffer.from([...out, Number(n)]);
}
const uint = (field, value, width) => bytes(varint(field << 3), varint(value, width));
const lengthy = (field, value) => bytes(varint((field << 3) | 2), varint(Buffer.from(value).length), value);
const sign = async (data, by = key) => bytes(lengthy(8, await by.sign(bytes('ipns-signature:', data))), lengthy(9, data));
const signed = async (members) => sign(map(members));
const legacy = ({ value = content, eol = future, type = 0, sequence = 1, ttl = 60_000_000_000 } = {}) =>
  bytes(lengthy(1, value), uint(3, type), lengthy(4, eol), uint(5, sequence), uint(6, ttl));

for (const [what, eol] of Object.entries(times)) await add(`Validity: ${what}`, await signed(but('Validity', blob(eol))));
for (const what of ['offset +01:00', 'a fraction of 12 digits', 'an hour of one digit']) {
  await add(`Validity: ${what}, V1 and V2`, bytes(legacy({ eol: times[what] }), await signed(but('Validity', blob(times[what])))));
}
await add('Validity: the same time in another form in the legacy copy', bytes(legacy({ eol: '2100-01-02T03:04:05.678901234+00:00' }), await signed(usual())));
for (const v1Compatible of [true, false]) {
  for (const [what, signer] of Object.entries({ Ed25519: key, secp256k1, RSA: rsa })) {
    const made = await createIPNSRecordWithExpiration(signer, content, 1, times['offset +05:45'], { ttlNs: 0n, v1Compatible });
    await add(`js-ipns: ${what}, ${v1Compatible ? 'V1 and V2' : 'V2 only'}`, marshalIPNSRecord(made), { as: signer });
  }
}
await add('js-ipns: a year of five digits', marshalIPNSRecord(await createIPNSRecordWithExpiration(key, content, 1, times['a second of the year 10000 by its offset'], { ttlNs: 0n })));

await add('TTL: missing', await signed(but('TTL')));
await add('TTL: missing, V1 and V2', bytes(legacy(), await signed(but('TTL'))));
await add('TTL: missing in both', bytes(lengthy(1, content), uint(3, 0), lengthy(4, future), uint(5, 1), await signed(but('TTL'))));
await add('TTL: 0', await signed(but('TTL', int(0))));
await add('TTL: 0, without the legacy copy', bytes(lengthy(1, content), uint(3, 0), lengthy(4, future), uint(5, 1), await signed(but('TTL', int(0)))));
await add('TTL: 2^63 - 1', await signed(but('TTL', int(2n ** 63n - 1n))));
await add('TTL: 2^63 - 1, V1 and V2', bytes(legacy({ ttl: 2n ** 63n - 1n }), await signed(but('TTL', int(2n ** 63n - 1n)))));
await add('TTL: 2^63', await signed(but('TTL', int(2n ** 63n))));
await add('TTL: 2^63, V1 and V2', bytes(legacy({ ttl: 2n ** 63n }), await signed(but('TTL', int(2n ** 63n)))));
await add('TTL: 2^64 - 1', await signed(but('TTL', int(2n ** 64n - 1n))));
const below = 'boxo refuses a TTL below zero from 0.43 on, and so does ipnscast';
await add('TTL: -1', await signed(but('TTL', int(-1))), { ours: below });
await add('TTL: -1, V1 and V2', bytes(legacy({ ttl: 2n ** 64n - 1n }), await signed(but('TTL', int(-1)))), { ours: below });
await add('TTL: -2^63', await signed(but('TTL', int(-(2n ** 63n)))), { ours: below });
await add('TTL: a text', await signed(but('TTL', text('5m'))));
await add('TTL: a float', await signed(but('TTL', bytes(0xfb, Buffer.alloc(8)))));
await add('TTL: null', await signed(but('TTL', bytes(0xf6))));

const rank = 'boxo cannot compare such a sequence with another one, and nothing could ever replace it';
await add('Sequence: missing', await signed(but('Sequence')));
await add('Sequence: missing, V1 and V2', bytes(legacy({ sequence: 0 }), await signed(but('Sequence'))));
await add('Sequence: 0, without the legacy copy', bytes(lengthy(1, content), uint(3, 0), lengthy(4, future), uint(6, 60_000_000_000), await signed(but('Sequence', int(0)))));
await add('Sequence: 2^63 - 1', await signed(but('Sequence', int(2n ** 63n - 1n))));
await add('Sequence: 2^63', await signed(but('Sequence', int(2n ** 63n))), { ours: rank });
await add('Sequence: 2^63, V1 and V2', bytes(legacy({ sequence: 2n ** 63n }), await signed(but('Sequence', int(2n ** 63n)))));
await add('Sequence: 2^64 - 1', await signed(but('Sequence', int(2n ** 64n - 1n))), { ours: rank });
await add('Sequence: -1', await signed(but('Sequence', int(-1))), { ours: 'boxo takes it for 2^64 - 1, which nothing could ever replace' });
await add('Sequence: a text', await signed(but('Sequence', text('1'))), { ours: rank });
await add('Sequence: null', await signed(but('Sequence', bytes(0xf6))), { ours: rank });

const nowhere = 'boxo finds out when it follows the value: it leads nowhere';
const unclean = 'a path is text that is shown and handed to commands, so it has no control characters and is UTF-8';
const cid = CID.parse('bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am');
await add('Value: missing', await signed(but('Value')), { ours: nowhere });
await add('Value: a text', await signed(but('Value', text(content))), { ours: nowhere });
await add('Value: empty', await signed(but('Value', blob(''))));
await add('Value: a binary CID', await signed(but('Value', blob(cid.bytes))));
await add('Value: a binary CIDv0', await signed(but('Value', blob(CID.parse('QmTudJSaoKxtbEnTddJ9vh8hbN84ZLVvD5pNpUaSbxwGoa').bytes))));
await add('Value: a CID in text', await signed(but('Value', blob(cid.toString()))));
await add('Value: a CIDv0 in text', await signed(but('Value', blob('QmTudJSaoKxtbEnTddJ9vh8hbN84ZLVvD5pNpUaSbxwGoa'))));
await add('Value: a word', await signed(but('Value', blob('hello'))), { ours: nowhere });
await add('Value: a namespace that nobody knows', await signed(but('Value', blob('/root2'))));
await add('Value: a slash', await signed(but('Value', blob('/'))));
await add('Value: a path with a line break', await signed(but('Value', blob(`${content}/a\nb`))), { ours: unclean });
await add('Value: a path that is no UTF-8', await signed(but('Value', blob(bytes(content, '/', 0xff)))), { ours: unclean });

await add('ValidityType: 1', await signed(but('ValidityType', int(1))));
await add('ValidityType: missing', await signed(but('ValidityType')));
await add('ValidityType: -1', await signed(but('ValidityType', int(-1))));
await add('ValidityType: a text', await signed(but('ValidityType', text('EOL'))));
await add('Validity: missing', await signed(but('Validity')));
await add('Validity: a text', await signed(but('Validity', text(future))));

await add('CBOR: keys in the reverse order', await signed(usual().reverse()));
await add('CBOR: a key twice', await signed([...usual(), ['TTL', int(1)]]));
await add('CBOR: a key of the record\'s own twice', await signed([...and('_x', int(1)), ['_x', int(2)]]));
await add('CBOR: a byte left over', await sign(bytes(map(usual()), 0)));
await add('CBOR: a list', await sign(list(int(1))));
await add('CBOR: cut off', await sign(map(usual()).subarray(0, -1)));
await add('CBOR: numbers wider than they need to be', await signed(but('Sequence', int(1, 8))));
await add('CBOR: lengths wider than they need to be', await signed(but('Validity', bytes(head(2, future.length, 8), future))));
await add('CBOR: a map of indefinite length', await sign(bytes(0xbf, map(usual()).subarray(1), 0xff)));
await add('CBOR: a map of indefinite length without an end', await sign(bytes(0xbf, map(usual()).subarray(1))));
await add('CBOR: Value in two pieces', await signed(but('Value', bytes(0x5f, blob(content.slice(0, 9)), blob(content.slice(9)), 0xff))));
await add('CBOR: Value in pieces of two kinds', await signed(but('Value', bytes(0x5f, blob(content.slice(0, 9)), text(content.slice(9)), 0xff))));
await add('CBOR: a key in two pieces', await signed([...but('Value'), [bytes(0x7f, text('Va'), text('lue'), 0xff), blob(content)]]));
await add('CBOR: half a float', await signed(and('_x', bytes(0xf9, 0x3e, 0))));
await add('CBOR: a float of 32 bits', await signed(and('_x', bytes(0xfa, 0x3f, 0xc0, 0, 0))));
await add('CBOR: NaN', await signed(and('_x', bytes(0xf9, 0x7e, 0))));
await add('CBOR: infinity', await signed(and('_x', bytes(0xfb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0))));
await add('CBOR: undefined', await signed(and('_x', bytes(0xf7))));
await add('CBOR: a simple value', await signed(and('_x', bytes(0xe0))));
await add('CBOR: a tag before text', await signed(and('_x', bytes(0xc0, text(future)))));
await add('CBOR: a tag before bytes', await signed(and('_x', bytes(0xc2, blob('1')))));
await add('CBOR: two tags', await signed(and('_x', bytes(0xc0, 0xc0, text('1')))));
await add('CBOR: a tag before the map', await sign(bytes(0xd9, 0xd9, 0xf7, map(usual()))));
await add('CBOR: a tag before a key', await signed([...usual(), [bytes(0xc0, text('_x')), int(1)]]));
await add('CBOR: a tag before the sequence', await signed(but('Sequence', bytes(0xc1, int(1)))));
await add('CBOR: a link', await signed(and('_x', bytes(0xd8, 42, blob(bytes(0, cid.bytes))))));
await add('CBOR: a link without its zero', await signed(and('_x', bytes(0xd8, 42, blob(cid.bytes)))));
await add('CBOR: a list of indefinite length', await signed(and('_x', bytes(0x9f, int(1), int(2), 0xff))));
await add('CBOR: 100 lists within one another', await signed(and('_x', bytes(Buffer.alloc(100, 0x81), 0))));
await add('CBOR: 1030 lists within one another', await signed(and('_x', bytes(Buffer.alloc(1030, 0x81), 0))));
await add('CBOR: text that is no UTF-8', await signed(and('_x', bytes(0x61, 0xff))));
await add('CBOR: a key that is no UTF-8', await signed([...usual(), [bytes(0x62, 0x5f, 0xff), int(1)]]));
await add('CBOR: an empty key', await signed(and('', int(1))));
await add('CBOR: a key that is a number', await signed([...usual(), [int(1), int(1)]]));
await add('CBOR: a number of -2^63', await signed(and('_x', int(-(2n ** 63n)))));
await add('CBOR: a number below -2^63', await signed(and('_x', int(-(2n ** 63n) - 1n))));

const v2 = await signed(usual());
await add('protobuf: an unknown number', bytes(uint(20, 5), v2));
await add('protobuf: an unknown field in the range that protobuf keeps for itself', bytes(uint(19000, 5), v2));
await add('protobuf: unknown fixed numbers', bytes(varint((20 << 3) | 5), Buffer.alloc(4), varint((21 << 3) | 1), Buffer.alloc(8), v2));
await add('protobuf: a group', bytes(varint((20 << 3) | 3), uint(1, 5), varint((20 << 3) | 4), v2));
await add('protobuf: a group in a group', bytes(varint((20 << 3) | 3), varint((21 << 3) | 3), varint((21 << 3) | 4), varint((20 << 3) | 4), v2));
await add('protobuf: a group that another one ends', bytes(varint((20 << 3) | 3), varint((21 << 3) | 4), v2));
await add('protobuf: a group without a beginning', bytes(varint((20 << 3) | 4), v2));
await add('protobuf: a group without an end', bytes(v2, varint((20 << 3) | 3)));
await add('protobuf: field 0', bytes(uint(0, 5), v2));
await add('protobuf: wire type 6', bytes(varint((20 << 3) | 6), v2));
await add('protobuf: a number of eleven bytes', bytes(varint(20 << 3), Buffer.alloc(10, 0x80), 1, v2));
await add('protobuf: a number beyond 64 bits', bytes(varint(20 << 3), Buffer.alloc(9, 0xff), 2, v2));
await add('protobuf: numbers wider than they need to be', bytes(lengthy(1, content), uint(3, 0, 5), lengthy(4, future), uint(5, 1, 9), uint(6, 60_000_000_000, 10), v2));
await add('protobuf: Value as a number', bytes(uint(1, 5), v2));
await add('protobuf: the data twice, the last is the signed one', bytes(lengthy(9, 'x'), v2));
await add('protobuf: the data twice, the first is the signed one', bytes(v2, lengthy(9, 'x')));
await add('protobuf: fields in the reverse order', bytes(lengthy(9, map(usual())), v2.subarray(0, 66)));
await add('protobuf: a validity type of 2^32', bytes(legacy({ type: 2n ** 32n }), v2));
await add('protobuf: a validity type of 1', bytes(legacy({ type: 1 }), v2));
await add('protobuf: the legacy value alone', bytes(lengthy(1, content), v2));
await add('protobuf: a legacy signature alone', bytes(lengthy(2, 'x'), v2));
await add('protobuf: legacy copies that differ, without value and signature', bytes(uint(5, 9), uint(6, 9), v2));
await add('protobuf: an empty signature', bytes(lengthy(8, ''), lengthy(9, map(usual()))));
await add('protobuf: no data', v2.subarray(0, 66));
await add('protobuf: cut off', v2.subarray(0, -1));

const ownKey = publicKeyToProtobuf(key.publicKey);
await add('key: embedded, though the name holds it', bytes(lengthy(7, ownKey), v2));
await add('key: embedded, its fields in the reverse order', bytes(lengthy(7, bytes(ownKey.subarray(2), ownKey.subarray(0, 2))), v2));
await add('key: embedded, with an unknown field', bytes(lengthy(7, bytes(ownKey, uint(9, 1))), v2));
await add('key: embedded without its type', bytes(lengthy(7, ownKey.subarray(2)), v2));
await add('key: another one embedded', bytes(lengthy(7, publicKeyToProtobuf(other.publicKey)), v2));
await add('key: an empty one embedded', bytes(lengthy(7, ''), v2));
await add('key: bytes that are none', bytes(lengthy(7, 'key'), v2));
await add('key: RSA, not embedded', await sign(map(usual()), rsa), { as: rsa });
await add('key: RSA, embedded, no TTL', bytes(lengthy(7, publicKeyToProtobuf(rsa.publicKey)), await sign(map(but('TTL')), rsa)), { as: rsa });
await add('key: another one signed', await sign(map(usual()), other));

process.stdout.write(`${JSON.stringify({ records })}\n`);
