// Writes names.json: the IPNS names of Nostr keys, computed with Node's HKDF, noble's curves (through nostr-tools) and libp2p.
//   tools/peers --node js tests/vectors/make_names.mjs
import { createHash, hkdfSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys';
import { nip19 } from 'nostr-tools';
import { getPublicKey } from 'nostr-tools/pure';
import { base36 } from 'multiformats/bases/base36';
import { base58btc } from 'multiformats/bases/base58';
import { base32 } from 'multiformats/bases/base32';

const spellings = (publicKey) => {
  const cid = publicKey.toCID();
  return {
    k51: cid.toString(base36),
    b58: base58btc.baseEncode(cid.multihash.bytes),
    b32: cid.toString(base32),
    hex: Buffer.from(cid.multihash.bytes).toString('hex'),
  };
};

const secrets = ['e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35', `${'0'.repeat(63)}1`];
for (let i = 0; i < 8; ++i) secrets.push(createHash('sha256').update(`ipnscast test vector name ${i}`).digest('hex'));

const names = [];
for (const secret of secrets) {
  const bytes = Buffer.from(secret, 'hex');
  const seed = Buffer.from(hkdfSync('sha256', bytes, '', 'ipfs-storage-ed25519-v1', 32));
  const pubkey = getPublicKey(bytes);
  names.push({
    secret,
    pubkey,
    npub: nip19.npubEncode(pubkey),
    nsec: nip19.nsecEncode(bytes),
    seed: seed.toString('hex'),
    ed25519: spellings((await generateKeyPairFromSeed('Ed25519', seed)).publicKey),
    secp256k1: spellings(publicKeyFromRaw(Buffer.from(`02${pubkey}`, 'hex'))),
  });
}
const design = names[0];
if (design.seed !== 'c1e0a37dbd6c43e495e39a0ff7f98166d667ca9234e0a80f0c6e78e3eab1de4f' ||
    design.ed25519.k51 !== 'k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm' ||
    design.ed25519.b58 !== '12D3KooWCuqpcCAuvccnWXibgwBcKzd2T4u4oifPkRoiyia58XfP') throw new Error("the design's vector differs");
writeFileSync(new URL('names.json', import.meta.url), `${JSON.stringify({ made_by: '@libp2p/crypto 5.1.23 and nostr-tools 2.25.2', names }, null, 1)}\n`);
console.log(`${names.length} names`);
