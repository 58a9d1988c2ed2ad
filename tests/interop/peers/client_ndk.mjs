// NDK as a client of the relay at URL: client_ndk.mjs URL. Prints one JSON object of what it saw.
import NDK, { NDKEvent, NDKPrivateKeySigner, NDKRelayAuthPolicies } from '@nostr-dev-kit/ndk';
import WebSocket from 'ws';

globalThis.WebSocket ??= WebSocket;
const url = process.argv[2];
const out = {};

async function client(signer) {
  const ndk = new NDK({ explicitRelayUrls: [url], signer, enableOutboxModel: false, autoConnectUserRelays: false });
  ndk.relayAuthDefaultPolicy = NDKRelayAuthPolicies.signIn({ ndk });
  await ndk.connect(5000);
  return ndk;
}

const signer = NDKPrivateKeySigner.generate();
const author = (await signer.user()).pubkey;
const alice = await client(signer);
const bob = await client(NDKPrivateKeySigner.generate());
const now = Math.floor(Date.now() / 1000);
const event = (kind, tags, content, created_at = now) => new NDKEvent(alice, { kind, tags, content, created_at });

let heard;
const live = new Promise((resolve) => { heard = resolve; });
await new Promise((resolve) => {
  const sub = bob.subscribe({ authors: [author], kinds: [1] }, { closeOnEose: false });
  sub.on('event', (found) => heard(found.content));
  sub.on('eose', resolve);
});
out.published = (await event(1, [['t', 'x']], 'hello').publish()).size;
out.live = await live;
await event(30078, [['d', 'a']], 'old', now - 5).publish();
out.replaced = (await event(30078, [['d', 'a']], 'new').publish()).size;
// What comes before the end, or the reason why nothing does.
const found = (ndk) => new Promise((resolve) => {
  const contents = [];
  const sub = ndk.subscribe({ kinds: [30078], authors: [author] }, { closeOnEose: true, cacheUsage: 'ONLY_RELAY' });
  sub.on('event', (one) => contents.push(one.content));
  sub.on('eose', () => resolve(contents));
  sub.on('closed', (_relay, reason) => resolve(reason));
});
out.own = await found(alice);
out.strangers = await found(bob);
console.log(JSON.stringify(out));
process.exit(0);
