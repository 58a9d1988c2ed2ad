// rust-nostr, compiled for JavaScript, as a client of the relay at URL: client_rust_nostr.mjs URL. Prints one JSON object of what
// it saw.
import sdk from '@rust-nostr/nostr-sdk';
import WebSocket from 'ws';

globalThis.WebSocket ??= WebSocket;
await sdk.loadWasmAsync();
const { Client, Duration, EventBuilder, Filter, Keys, Kind, NostrSigner, SyncOptions, Tag, Timestamp } = sdk;
const url = process.argv[2];
const wait = () => Duration.fromSecs(10);
const out = {};

async function client(keys) {
  const one = new Client(NostrSigner.keys(keys));
  await one.addRelay(url);
  await one.tryConnect(wait());
  return one;
}

const keys = Keys.generate();
const alice = await client(keys);
const bob = await client(Keys.generate());
const now = Math.floor(Date.now() / 1000);
const event = (kind, tags, content, at = now) => new EventBuilder(new Kind(kind), content)
  .tags(tags.map((tag) => Tag.parse(tag))).customCreatedAt(Timestamp.fromSecs(at)).signWithKeys(keys);
const of = (...kinds) => new Filter().author(keys.publicKey).kinds(kinds.map((kind) => new Kind(kind)));
const send = async (what) => {
  const sent = await alice.sendEvent(what);
  return sent.success.length === 1 ? '' : sent.failed.map((item) => item.error).join();
};
const contents = async (who, filter) => {
  const found = [];
  try {
    (await who.fetchEvents(filter, wait())).forEach((one) => found.push(one.content));
  } catch (error) {
    found.push(`error: ${error}`);
  }
  return found;
};

let heard;
const live = new Promise((resolve) => { heard = resolve; });
await bob.subscribe(of(1));
bob.handleNotifications({
  handleEvent: async (_relay, _subscription, found) => { heard(found.content); return true; },
  handleMsg: async () => false,
});
const note = event(1, [['t', 'x']], 'hello');
out.note = await send(note);
out.live = await live;
out.old = await send(event(30078, [['d', 'a']], 'old', now - 5));
out.latest = await send(event(30078, [['d', 'a']], 'new'));
out.stored = await contents(alice, of(30078));
out.strangers = await contents(bob, of(30078));
out.deletion = await send(event(5, [['e', note.id.toHex()]], ''));
out.after_deletion = await contents(bob, of(1));

const reader = await client(Keys.generate());
const synced = await reader.sync(of(5), new SyncOptions());
out.synced = synced.report.received.length;
console.log(JSON.stringify(out));
process.exit(0);
