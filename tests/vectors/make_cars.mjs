// Writes cars.json: small CAR files made with @ipld/car, dag-pb and ipfs-unixfs, whole, damaged and hostile, and what unpacking each
// must give: the files, or a refusal that leaves nothing behind.
//   tools/peers --node js tests/vectors/make_cars.mjs
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { CarWriter } from '@ipld/car/writer';
import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { sha256 } from 'multiformats/hashes/sha2';

const block = async (code, bytes) => ({ cid: CID.createV1(code, await sha256.digest(bytes)), bytes });
const leaf = (text) => block(raw.code, Buffer.from(text));
const pb = async (unixfs, links) => block(dagPb.code, dagPb.encode({ Data: unixfs.marshal(), Links: links }));
const link = (Name, { cid, bytes }) => ({ Name, Tsize: bytes.length, Hash: cid });
const directory = (links) => pb(new UnixFS({ type: 'directory' }), links);
async function file(...chunks) {
  const node = new UnixFS({ type: 'file', blockSizes: chunks.map((c) => BigInt(c.bytes.length)) });
  return pb(node, chunks.map((c) => link('', c)));
}

async function car(roots, blocks) {
  const { writer, out } = CarWriter.create(roots);
  const parts = [];
  const done = (async () => { for await (const part of out) parts.push(part); })();
  for (const b of blocks) await writer.put(b);
  await writer.close();
  await done;
  return Buffer.concat(parts);
}

const cars = [];
const add = (what, root, bytes, files) => cars.push({
  what, root: root.toString(), valid: files !== undefined,
  ...(files && { files: Object.entries(files).map(([path, text]) => ({ path, size: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') })) }),
  car: bytes.toString('base64') });

const [one, two, three] = [await leaf('first chunk '), await leaf('second chunk '), await leaf('third chunk')];
const long = await file(one, two, three);
const hello = await leaf('hello\n');
const inner = await directory([link('hello.txt', hello)]);
const root = await directory([link('copy.txt', hello), link('long.txt', long), link('sub', inner)]);
const all = [root, hello, long, one, two, three, inner];
const tree = { 'copy.txt': 'hello\n', 'long.txt': 'first chunk second chunk third chunk', 'sub/hello.txt': 'hello\n' };
const whole = await car([root.cid], all);

add('a tree', root.cid, whole, tree);
add('blocks in reverse order', root.cid, await car([root.cid], [...all].reverse()), tree);
add('every block twice', root.cid, await car([root.cid], [...all, ...all]), tree);
add('a block that does not belong', root.cid, await car([root.cid], [await leaf('stranger'), ...all]), tree);
add('another root in the header', root.cid, await car([hello.cid], all), tree);
add('no root in the header', root.cid, await car([], all), tree);
add('one raw block', hello.cid, await car([hello.cid], [hello]), { [hello.cid.toString()]: 'hello\n' });
add('a file of three chunks', long.cid, await car([long.cid], [long, one, two, three]),
  { [long.cid.toString()]: 'first chunk second chunk third chunk' });
const nothing = await directory([]);
add('an empty directory', nothing.cid, await car([nothing.cid], [nothing]), {});

add('a missing leaf', root.cid, await car([root.cid], all.filter((b) => b !== two)));
add('a missing root', root.cid, await car([root.cid], all.slice(1)));
add('a missing directory', root.cid, await car([root.cid], all.slice(0, -1)));
const altered = all.map((b) => (b === hello ? { cid: b.cid, bytes: Buffer.from('HELLO\n') } : b));
add('altered bytes under a true CID', root.cid, await car([root.cid], altered));
add('the last byte cut off', root.cid, whole.subarray(0, whole.length - 1));
add('cut inside the header', root.cid, whole.subarray(0, 10));
add('no bytes at all', root.cid, Buffer.alloc(0));
const bad = Buffer.from(whole);
bad[bad.length - 1] ^= 1;
add('one bit changed', root.cid, bad);

for (const name of ['..', '.', '', '/etc/passwd', 'a/b', '../up', 'nul\0byte']) {
  const evil = await directory([link(name, hello)]);
  add(`a file called ${JSON.stringify(name)}`, evil.cid, await car([evil.cid], [evil, hello]));
}
const twice = await directory([link('same', hello), link('same', inner)]);
// The first one counts, as it does for a path through the directory.
add('two entries of one name', twice.cid, await car([twice.cid], [twice, hello, inner]), { same: 'hello\n' });
const lying = await pb(new UnixFS({ type: 'file', blockSizes: [5n] }), [link('', hello)]);
add('a file that claims fewer bytes than it has', lying.cid, await car([lying.cid], [lying, hello]));

const lines = cars.map((c) => JSON.stringify(c));
writeFileSync(new URL('cars.json', import.meta.url), `{"made_by":"@ipld/car and @ipld/dag-pb, as ipfs-car 3.1.0 brings them","cars":[\n${lines.join(',\n')}\n]}\n`);
console.log(`${cars.length} CARs`);
