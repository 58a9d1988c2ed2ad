// IPNS records by js-ipns:
//   records.mjs create TYPE SECRET VALUE SEQUENCE FILE  TYPE Ed25519 or secp256k1, SECRET 64 hex digits; prints the name
//   records.mjs verify NAME FILE                        {"valid","error","value","sequence","validity"}
import { readFileSync, writeFileSync } from 'node:fs';
import { generateKeyPairFromSeed, privateKeyFromRaw } from '@libp2p/crypto/keys';
import { createIPNSRecord, marshalIPNSRecord, multihashToIPNSRoutingKey, unmarshalIPNSRecord } from 'ipns';
import { ipnsValidator } from 'ipns/validator';
import { base36 } from 'multiformats/bases/base36';
import { CID } from 'multiformats/cid';

const [command, ...args] = process.argv.slice(2);
if (command === 'create') {
  const [type, secret, value, sequence, file] = args;
  const bytes = Buffer.from(secret, 'hex');
  const key = type === 'Ed25519' ? await generateKeyPairFromSeed(type, bytes) : privateKeyFromRaw(bytes);
  writeFileSync(file, marshalIPNSRecord(await createIPNSRecord(key, value, BigInt(sequence), 3_600_000)));
  console.log(key.publicKey.toCID().toString(base36));
} else if (command === 'verify') {
  const [name, file] = args;
  const bytes = readFileSync(file);
  const answer = { valid: true, error: '' };
  try {
    await ipnsValidator(multihashToIPNSRoutingKey(CID.parse(name, base36).multihash), bytes);
    const { value, sequence, validity } = unmarshalIPNSRecord(bytes);
    Object.assign(answer, { value, sequence: `${sequence}`, validity });
  } catch (error) {
    Object.assign(answer, { valid: false, error: `${error.name}: ${error.message}` });
  }
  console.log(JSON.stringify(answer));
} else {
  console.error('records.mjs create TYPE SECRET VALUE SEQUENCE FILE | verify NAME FILE');
  process.exit(2);
}
