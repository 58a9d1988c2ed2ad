// NDK's side of a remote signer (NIP-46), until it is killed:
//   bunker.mjs SECRET RELAY    prints its bunker:// address once it listens
// It lets in whoever shows the secret "s3cret" and serves nobody else; what it is asked for is printed line by line.
import NDK, { NDKNip46Backend, NDKPrivateKeySigner } from '@nostr-dev-kit/ndk';
import WebSocket from 'ws';

globalThis.WebSocket = WebSocket;
const [secret, relay] = process.argv.slice(2);
const ndk = new NDK({ explicitRelayUrls: [relay], enableOutboxModel: false });
await ndk.connect(5000);
const signer = new NDKPrivateKeySigner(secret);
const known = new Set();
const backend = new NDKNip46Backend(ndk, signer, async ({ pubkey, method }) => {
  console.log(method);
  return known.has(pubkey);
}, [relay]);
backend.applyToken = async (pubkey, token) => {
  if (token !== 's3cret') throw new Error('wrong secret');
  known.add(pubkey);
};
await backend.start();
// Once a relay has answered the subscription, requests are heard.
await ndk.fetchEvents({ kinds: [24133], limit: 1 });
const user = await signer.user();
console.log(`bunker://${user.pubkey}?relay=${encodeURIComponent(relay)}&secret=s3cret`);
