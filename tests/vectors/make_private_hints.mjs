// Writes private_hints.json: the hidden d tags of names and whole private hints, computed with Node's HKDF and HMAC and
// encrypted and signed by nostr-tools.
//   tools/peers --node js tests/vectors/make_private_hints.mjs
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { nip44 } from 'nostr-tools';
import { finalizeEvent, getPublicKey } from 'nostr-tools/pure';

const { names } = JSON.parse(readFileSync(new URL('names.json', import.meta.url)));
const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

const hints = [];
for (const [i, { secret, ed25519, secp256k1 }] of names.entries()) {
  const bytes = Buffer.from(secret, 'hex');
  const key = Buffer.from(hkdfSync('sha256', bytes, '', 'ipnscast-private-d-v1', 32));
  const d = (name) => createHmac('sha256', key).update(Buffer.from(name.hex, 'hex')).digest('hex');
  const text = JSON.stringify({
    type: 'ipns-sync', ipnsName: ed25519.k51, cid, sequence: String(i + 1), timestamp: 1790000000000, v: 1, deviceId: 'node',
  });
  const shared = nip44.v2.utils.getConversationKey(bytes, getPublicKey(bytes));
  const nonce = createHash('sha256').update(`ipnscast test vector nonce ${i}`).digest();
  const content = nip44.v2.encrypt(text, shared, nonce);
  const event = finalizeEvent({ kind: 30078, created_at: 1790000000 + i, tags: [['d', d(ed25519)]], content }, bytes);
  hints.push({
    secret, key: key.toString('hex'), d_ed25519: d(ed25519), d_secp256k1: d(secp256k1), name: ed25519.k51, cid,
    sequence: String(i + 1), event: JSON.stringify(event),
  });
}
writeFileSync(new URL('private_hints.json', import.meta.url),
  `${JSON.stringify({ made_by: 'node:crypto and nostr-tools 2.25.2', hints }, null, 1)}\n`);
console.log(`${hints.length} private hints`);
