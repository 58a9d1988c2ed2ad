// Plays a scripted conversation with the relay at URL over raw WebSockets and prints what it answered, one line for each step:
// converse.mjs URL. Ids, keys, subscription names and texts after a prefix are replaced by words, so that two relays compare.
import { createHash } from 'node:crypto';
import { finalizeEvent, getPublicKey } from 'nostr-tools/pure';
import WebSocket from 'ws';

const url = process.argv[2];
const now = Math.floor(Date.now() / 1000);
// New keys in every run, because relays keep what they hear.
const keys = ['a', 'b'].map((name) => createHash('sha256').update(`${name} ${Math.random()}`).digest());
const words = new Map(keys.map((key, i) => [getPublicKey(key), `<key ${'ab'[i]}>`]));
const events = new Map();

// A named event: its id is spoken of by that name.
function event(name, { key = 0, kind = 1, tags = [], content = name, at = now, change }) {
  const signed = JSON.parse(JSON.stringify(finalizeEvent({ kind, created_at: at, tags, content }, keys[key])));
  const out = { ...signed, ...change };
  words.set(out.id, `<${name}>`);
  events.set(name, out);
  return out;
}

// What a relay said, as words. Of a reason only whether it is there and its prefix.
const reason = (text) => (typeof text !== 'string' ? String(text) : text === '' ? 'empty' : text.includes(':') ? `${text.split(':')[0]}:` : 'text');
function said(message) {
  const [type, ...rest] = message;
  const word = (text) => words.get(text) ?? text;
  if (type === 'EVENT') return `EVENT ${rest[0]} ${word(rest[1].id)}`;
  if (type === 'OK') return `OK ${word(rest[0])} ${rest[1]} ${reason(rest[2])}`;
  if (type === 'CLOSED') return `CLOSED ${rest[0]} ${reason(rest[1])}`;
  if (type === 'NOTICE') return 'NOTICE';
  if (type === 'AUTH') return 'AUTH';
  if (type === 'COUNT') return `COUNT ${rest[0]} ${rest[1].count}`;
  if (type === 'NEG-MSG') return `NEG-MSG ${rest[0]} ${rest[1].slice(0, 2)}`;
  if (type === 'NEG-ERR') return `NEG-ERR ${rest[0]} ${reason(rest[1])}`;
  return [type, ...rest].join(' ');
}

class Client {
  constructor() { this.heard = []; this.waiting = null; this.asked = 0; }
  open() {
    this.socket = new WebSocket(url);
    this.socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      // Questions have names of their own, so that an event for one that was closed is no answer to the next.
      if (/^q[0-9]/.test(message[1]) && ['EVENT', 'EOSE', 'CLOSED'].includes(message[0])) {
        if (message[1] !== `q${this.asked}`) return;
        message[1] = 'q';
      }
      this.heard.push(message);
      this.waiting?.();
    });
    return new Promise((resolve, reject) => { this.socket.on('open', resolve); this.socket.on('error', reject); });
  }
  send(text) { this.socket.send(typeof text === 'string' ? text : JSON.stringify(text)); }
  // All until a message for which `last` holds, or until nothing came for a while where nothing has to come.
  async until(last, patience = 5000) {
    const deadline = Date.now() + patience;
    while (!this.heard.some(last) && Date.now() < deadline) {
      await new Promise((resolve) => { this.waiting = resolve; setTimeout(resolve, Math.max(1, deadline - Date.now())); });
    }
    return this.heard.splice(0).map(said);
  }
}

const alice = new Client();
const bob = new Client();
await alice.open();
await bob.open();
const show = (step, answers) => console.log(JSON.stringify([step, ...answers]));
const publish = async (step, what) => {
  alice.send(['EVENT', what]);
  show(step, await alice.until((m) => m[0] === 'OK' && m[1] === what.id));
};
const ask = async (step, filters, client = bob) => {
  const name = `q${++client.asked}`;
  client.send(['REQ', name, ...filters]);
  show(step, await client.until((m) => (m[0] === 'EOSE' || m[0] === 'CLOSED') && m[1] === 'q'));
  client.send(['CLOSE', name]);
};
const authors = [getPublicKey(keys[0])];

await publish('a note', event('note', { tags: [['t', 'x']] }));
await publish('the same note again', events.get('note'));
await publish('a changed content', event('changed', { change: { content: 'other' } }));
await publish('a broken signature', event('forged', { change: { sig: '0'.repeat(128) } }));
await publish('a newer version of an address', event('v2', { kind: 30079, tags: [['d', 'x']], at: now }));
await publish('an older version of it', event('v1', { kind: 30079, tags: [['d', 'x']], at: now - 10 }));
await publish('a still newer one', event('v3', { kind: 30079, tags: [['d', 'x']], at: now + 1 }));
await ask('the address', [{ kinds: [30079], authors, '#d': ['x'] }]);
let tie = [event('tie one', { kind: 30079, tags: [['d', 'tie']], at: now, content: '1' }), event('tie two', { kind: 30079, tags: [['d', 'tie']], at: now, content: '2' })];
tie = tie.sort((a, b) => (a.id < b.id ? -1 : 1));
words.set(tie[0].id, '<low>');
words.set(tie[1].id, '<high>');
await publish('the lower id of a second', tie[0]);
await publish('the higher id of the same second', tie[1]);
await ask('the tie', [{ kinds: [30079], authors, '#d': ['tie'] }]);
await ask('by tag', [{ '#t': ['x'], authors }]);
await ask('two filters that one event satisfies', [{ kinds: [1], authors }, { ids: [events.get('note').id] }]);
await ask('newest first, one', [{ kinds: [30079], authors, limit: 1 }]);
await ask('none', [{ kinds: [7], authors }]);

bob.send(['REQ', 'live', { kinds: [1, 20001], authors }]);
show('a live subscription', await bob.until((m) => m[0] === 'EOSE'));
await publish('a second note', event('second', {}));
show('is heard live', await bob.until((m) => m[0] === 'EVENT'));
await publish('an ephemeral event', event('ephemeral', { kind: 20001 }));
show('is heard live too', await bob.until((m) => m[0] === 'EVENT'));
bob.send(['CLOSE', 'live']);
await ask('and is not kept', [{ kinds: [20001], authors }]);

await publish('a deletion by another key', event('foreign deletion', { key: 1, kind: 5, tags: [['e', events.get('note').id]] }));
await ask('deletes nothing', [{ ids: [events.get('note').id] }]);
await publish('a deletion by the author', event('deletion', { kind: 5, tags: [['e', events.get('note').id]] }));
await ask('deletes', [{ ids: [events.get('note').id] }]);
await publish('an expired event', event('expired', { tags: [['expiration', String(now - 100)]] }));
await ask('is not served', [{ ids: [events.get('expired').id] }]);
await publish('a protected event', event('protected', { tags: [['-']] }));

bob.send(['COUNT', 'c', { kinds: [30079], authors }]);
show('a count', await bob.until((m) => m[0] === 'COUNT' || m[0] === 'CLOSED' || m[0] === 'NOTICE'));
bob.send(['NEG-OPEN', 'n', { kinds: [30079], authors }, '6100000200']);
show('a reconciliation', await bob.until((m) => m[0].startsWith('NEG-') || m[0] === 'NOTICE'));
bob.send('no JSON');
show('no JSON', await bob.until((m) => m[0] === 'NOTICE', 1500));
bob.send(['REQ', 'bad', { ids: ['abc'] }]);
show('a filter that is none', await bob.until((m) => m[0] === 'CLOSED' || m[0] === 'NOTICE' || m[0] === 'EOSE', 1500));
// Last, because khatru hands it to whatever bob asks next.
await publish('what was deleted', events.get('note'));
process.exit(0);
