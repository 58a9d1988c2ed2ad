// Writes records.json: IPNS records made by js-ipns, whole and altered, with the answer each must get. js-ipns's own
// validator has to agree. Keys come from fixed seeds, except the RSA one, which is new with each run.
//   tools/peers --node js tests/vectors/make_records.mjs
import { writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { encode as encodeCbor, decode as decodeCbor } from '@ipld/dag-cbor';
import { generateKeyPair, generateKeyPairFromSeed, privateKeyFromRaw } from '@libp2p/crypto/keys';
import { createIPNSRecordWithExpiration, marshalIPNSRecord, unmarshalIPNSRecord, multihashToIPNSRoutingKey } from 'ipns';
import { ipnsValidator } from 'ipns/validator';

const seed = (text) => createHash('sha256').update(`ipnscast test vector ${text}`).digest();
const keys = {
  ed25519: await generateKeyPairFromSeed('Ed25519', seed('ed25519')),
  secp256k1: privateKeyFromRaw(seed('secp256k1')),
  rsa: await generateKeyPair('RSA', 2048),
};
const other = await generateKeyPairFromSeed('Ed25519', seed('another'));
const content = '/ipfs/bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am';
const future = '2100-01-02T03:04:05.678901234Z';
const ttl = 300_000_000_000n;

const name = (key) => key.publicKey.toCID().toString();
const make = (key, value, sequence, options = {}) =>
  createIPNSRecordWithExpiration(key, value, sequence, options.eol ?? future, { ttlNs: ttl, v1Compatible: options.v1 ?? true });

const vectors = [];
async function add(what, key, record, { reason = '', as = key, expect = {} } = {}) {
  const bytes = record instanceof Uint8Array ? record : marshalIPNSRecord(record);
  let theirs = '';
  try {
    await ipnsValidator(multihashToIPNSRoutingKey(as.publicKey.toMultihash()), bytes);
  } catch (error) {
    theirs = error.name;
  }
  if ((theirs === '') !== (reason === '')) throw new Error(`${what}: js-ipns says ${theirs || 'valid'}`);
  const row = { what, name: name(as), valid: reason === '', reason, js_ipns: theirs || 'valid' };
  if (reason === '' || reason === 'expired') {
    const { value, validity, sequence, ttl: ttl_ns } = unmarshalIPNSRecord(bytes);
    Object.assign(row, { value, sequence: `${sequence}`, validity, ttl_ns: `${ttl_ns}`, key_type: key.type.toLowerCase() }, expect);
  }
  row.record = Buffer.from(bytes).toString('base64');
  vectors.push(row);
}

for (const [type, key] of Object.entries(keys)) {
  await add(`${type}, V1 and V2`, key, await make(key, content, 42));
  await add(`${type}, V2 only`, key, await make(key, content, 42, { v1: false }));
  await add(`${type}, expired`, key, await make(key, content, 7, { eol: '2020-01-01T00:00:00.000000000Z' }), { reason: 'expired' });
  const broken = await make(key, content, 42);
  broken.signatureV2 = Uint8Array.from(broken.signatureV2);
  broken.signatureV2[broken.signatureV2.length - 1] ^= 1;
  await add(`${type}, one bit of the signature changed`, key, broken, { reason: 'signature' });
}

const { ed25519: key } = keys;
await add('sequence 0', key, await make(key, content, 0));
await add('sequence 2^63 - 1', key, await make(key, content, 2n ** 63n - 1n));
await add('a value with a sub-path', key, await make(key, `${content}/a b/ü`, 1));
await add('a value that is another name', key, await make(key, `/ipns/${name(other)}`, 1));
await add('TTL 0', key, await createIPNSRecordWithExpiration(key, content, 1, future, { ttlNs: 0n }));

const signData = async (fields) => {
  const data = encodeCbor(fields);
  const signatureV2 = await key.sign(Buffer.concat([Buffer.from('ipns-signature:'), data]));
  return { signatureV2, data };
};
const fieldsOf = (record) => decodeCbor(record.data);

const plain = await make(key, content, 42, { v1: false });
const extended = { ...fieldsOf(plain), _note: 'hello', _nostr: { pubkey: new Uint8Array(32).fill(7), relays: ['wss://relay.example'] } };
await add('extensible data', key, { ...plain, ...(await signData(extended)) }, { expect: { extra: ['_nostr', '_note'] } });

const changed = async (what, change, reason) => {
  const record = await make(key, content, 42);
  change(record);
  await add(what, key, record, { reason });
};
await changed('the V1 copy of the value differs', (r) => { r.value = '/ipfs/bafkqaaa'; }, 'mismatch');
await changed('the V1 copy of the sequence differs', (r) => { r.sequence = 43n; }, 'mismatch');
await changed('the V1 copy of the validity differs', (r) => { r.validity = '2101-01-02T03:04:05.678901234Z'; }, 'mismatch');
await changed('the V1 signature is wrong, which nobody checks', (r) => { r.signatureV1 = new Uint8Array(64); }, '');
await changed('one bit of the signed data changed', (r) => { r.data = Uint8Array.from(r.data); r.data[r.data.length - 1] ^= 1; }, 'signature');
await add("somebody else's record under this name", key, await make(key, content, 42), { reason: 'signature', as: other });
await add("an RSA record under another RSA key's name", keys.rsa, await make(keys.rsa, content, 42),
  { reason: 'key', as: await generateKeyPair('RSA', 2048) });
const whole = marshalIPNSRecord(await make(key, content, 42));
await add('cut short', key, whole.subarray(0, whole.length - 20), { reason: 'decode' });
await add('no bytes at all', key, new Uint8Array(0), { reason: 'signature' });
await add('larger than 10 KiB', key, await make(key, `${content}/${'x'.repeat(5200)}`, 1), { reason: 'size' });

writeFileSync(new URL('records.json', import.meta.url), `${JSON.stringify({ made_by: 'js-ipns 10.1.6', records: vectors }, null, 1)}\n`);
console.log(`${vectors.length} records`);
