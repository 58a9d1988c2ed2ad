// nostr-tools as a client of the relay at URL: client_nostr_tools.mjs URL. Prints one JSON object of what it saw.
import { finalizeEvent, generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { Relay, useWebSocketImplementation } from 'nostr-tools/relay';
import WebSocket from 'ws';

const nip77 = await import(`${process.env.IPNSCAST_PEER}/node_modules/nostr-tools/lib/esm/nip77.js`);
useWebSocketImplementation(WebSocket);
const url = process.argv[2];
const secret = generateSecretKey();
const pubkey = getPublicKey(secret);
const now = Math.floor(Date.now() / 1000);
const sign = (kind, tags = [], content = '', at = now) => finalizeEvent({ kind, created_at: at, tags, content }, secret);
const failure = async (promise) => promise.then(() => '', (error) => String(error.message ?? error));
const out = {};

async function connect() {
  const relay = new Relay(url, { websocketImplementation: WebSocket });
  relay.onauth = (template) => Promise.resolve(finalizeEvent(template, secret));
  await relay.connect();
  return relay;
}

function stored(relay, filter) {
  return new Promise((resolve, reject) => {
    const events = [];
    const sub = relay.subscribe([filter], {
      onevent: (event) => events.push(event),
      oneose: () => { resolve(events); sub.close(); },
      onclose: (reason) => reject(new Error(reason)),
    });
  });
}

const alice = await connect();
const bob = await connect();
const live = [];
await new Promise((resolve) => {
  bob.subscribe([{ authors: [pubkey], kinds: [1] }], { onevent: (event) => live.push(event.id), oneose: resolve });
});
const note = sign(1, [['t', 'x']], 'hello "there"\n');
await alice.publish(note);
out.duplicate = await failure(alice.publish(note));
const older = sign(30079, [['d', 'a']], 'old', now - 5);
const newer = sign(30079, [['d', 'a']], 'new');
await alice.publish(older);
await alice.publish(newer);
out.stale = await failure(alice.publish(older));
out.latest = (await stored(bob, { kinds: [30079], authors: [pubkey], '#d': ['a'] })).map((event) => event.content);
out.by_tag = (await stored(bob, { '#t': ['x'], authors: [pubkey] })).length;
out.live = live.length === 1 && live[0] === note.id;
out.count = await bob.count([{ authors: [pubkey] }], {});

// Reconciliation (NIP-77): the relay has one that we lack, we have one that it lacks.
const storage = new nip77.NegentropyStorageVector();
const ours = sign(1, [], 'never sent');
storage.insert(ours.created_at, ours.id);
storage.insert(newer.created_at, newer.id);
storage.seal();
const have = [], need = [];
await new Promise((resolve, reject) => {
  const sync = new nip77.NegentropySync(bob, storage, { authors: [pubkey] }, {
    onhave: (id) => have.push(id), onneed: (id) => need.push(id),
    onclose: (reason) => (reason ? reject(new Error(reason)) : resolve()),
  });
  sync.start();
});
out.have = have.length === 1 && have[0] === ours.id;
out.need = need.length === 1 && need[0] === note.id;

await alice.publish(sign(5, [['e', note.id], ['a', `30079:${pubkey}:a`]]));
out.after_deletion = (await stored(bob, { kinds: [1, 30079], authors: [pubkey] })).length;
out.deleted_again = await failure(alice.publish(note));

// A protected event needs the author's AUTH (NIP-70, NIP-42).
const own = sign(1, [['-']], 'mine');
out.before_auth = await failure(alice.publish(own));
await new Promise((resolve) => setTimeout(resolve, 0));
await failure(alice.auth((template) => Promise.resolve(finalizeEvent(template, secret))));
out.after_auth = await failure(alice.publish(own));
console.log(JSON.stringify(out));
process.exit(0);
