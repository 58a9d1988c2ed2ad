// Writes events.json: Nostr events made by nostr-tools with awkward characters, and altered ones, as the text that travels, with
// the answer each must get. nostr-tools's own verification has to agree where it can tell.
//   tools/peers --node js tests/vectors/make_events.mjs
import { writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { finalizeEvent, getPublicKey, verifyEvent } from 'nostr-tools/pure';

const secret = createHash('sha256').update('ipnscast test vector nostr').digest();
const name = 'k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm';
const base = { kind: 30078, created_at: 1790000000, tags: [['d', `ipns-sync-${name}`], ['t', 'ipns-sync']], content: '' };
const events = [];

function add(what, event, { reason = '', text, agrees = true } = {}) {
  const valid = verifyEvent(JSON.parse(JSON.stringify(event)));
  if (agrees && valid !== (reason === '')) throw new Error(`${what}: nostr-tools says ${valid}`);
  events.push({ what, valid: reason === '', reason, id: event.id, text: text ?? JSON.stringify(event) });
}
const sign = (fields) => finalizeEvent({ ...base, ...fields }, secret);
const changed = (event, fields) => ({ ...JSON.parse(JSON.stringify(event)), ...fields });

const control = Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join('');
const awkward = {
  'quotes and backslashes': '"quoted" \\ back\\\\slash \\" \\n \\u0041 / \\/',
  'emoji, accents and scripts': '👩‍👩‍👧‍👦 é e\u0301 ß 漢字 \u202Eright to left\u202C \uFEFF',
  'line separators U+2028 and U+2029': 'a\u2028b\u2029c',
  'delete and the C1 controls': `\u007f${Array.from({ length: 32 }, (_, i) => String.fromCharCode(0x80 + i)).join('')}`,
  'the five short escapes': '\n\r\t\b\f',
  'all control characters below space': control,
  'the ends of the planes': '\uFFFD\uFFFE\uFFFF\u{10000}\u{1FFFF}\u{10FFFF}',
  'text that looks like JSON': '{"a":[1,2,{"b":null}],"c":"\\"d\\""}',
  'html and a long line': `<script>&amp;</script>${'x'.repeat(5000)}`,
};
for (const [what, text] of Object.entries(awkward)) {
  add(`content: ${what}`, sign({ content: text }));
  add(`tag: ${what}`, sign({ tags: [...base.tags, ['note', text, text]] }));
}
add('no tags, no content, time 0', sign({ kind: 1, created_at: 0, tags: [], content: '' }));
add('kind 65535', sign({ kind: 65535, content: 'x' }));
add('an empty tag and a tag of one item', sign({ tags: [[], ['d'], ['', '']] }));
add('a hint as it is sent', sign({
  tags: [...base.tags, ['cid', 'bafkqaaa'], ['seq', '42']],
  content: JSON.stringify({ type: 'ipns-sync', ipnsName: name, cid: 'bafkqaaa', sequence: '42', timestamp: 1790000000000 }),
}));

const whole = sign({ content: 'the real thing' });
const text = JSON.stringify(whole);
add('white space and another order of members', whole, { text: ` {\t"sig" : "${whole.sig}", "content":"the real thing",\r\n "tags":${JSON.stringify(whole.tags)},
  "kind":30078,"created_at":1790000000,"pubkey":"${whole.pubkey}","id":"${whole.id}" } `.replace(/\n/g, ' ') });
add('characters escaped that need no escape', whole, { text: text.replace('the real', '\\u0074he\\u0020real') });
add('an unknown member', whole, { text: text.replace('{', '{"seen_on":["wss://relay.example"],') });

add('content changed', changed(whole, { content: 'the fake thing' }), { reason: 'id' });
add('tag changed', changed(whole, { tags: [['d', 'ipns-sync-other']] }), { reason: 'id' });
add('time changed', changed(whole, { created_at: whole.created_at + 1 }), { reason: 'id' });
add('kind changed', changed(whole, { kind: 30079 }), { reason: 'id' });
add("somebody else's pubkey", changed(whole, { pubkey: getPublicKey(createHash('sha256').update('another').digest()) }), { reason: 'id' });
add('id changed', changed(whole, { id: '0'.repeat(64) }), { reason: 'id' });
add('signature of another event', changed(whole, { sig: sign({ content: 'another' }).sig }), { reason: 'sig' });
add('signature all zero', changed(whole, { sig: '0'.repeat(128) }), { reason: 'sig' });
const shape = { reason: 'shape', agrees: false };
add('id in capitals', changed(whole, { id: whole.id.toUpperCase() }), shape);
add('signature too short', changed(whole, { sig: whole.sig.slice(2) }), shape);
add('content is a number', changed(whole, { content: 5 }), shape);
add('a tag item is a number', changed(whole, { tags: [['d', 5]] }), shape);
add('no tags member', changed(whole, { tags: undefined }), shape);
add('content twice', whole, { ...shape, text: text.replace('{', '{"content":"another",') });
add('created_at is a float', whole, { reason: 'time', agrees: false, text: text.replace('1790000000', '1790000000.5') });
add('kind 65536', changed(whole, { kind: 65536 }), { reason: 'kind', agrees: false });
add('no JSON', whole, { reason: 'json', agrees: false, text: text.slice(0, -1) });

writeFileSync(new URL('events.json', import.meta.url),
  `${JSON.stringify({ made_by: 'nostr-tools 2.25.2', pubkey: getPublicKey(secret), events }, null, 1)}\n`);
console.log(`${events.length} events`);
