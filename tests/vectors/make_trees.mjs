// Writes trees.json: trees of files and the root each has under the two import profiles, by Kubo (kubo-256k) and by ipfs-car
// (unixfs-v1-2025: 1 MiB chunks, 1,024 links). File contents follow from size and seed (bytes_of), so the trees need no room here.
//   tools/peers kubo && tools/peers --node js tests/vectors/make_trees.mjs "$(tools/peers --path kubo)/ipfs"
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createDirectoryEncoderStream, createFileEncoderStream } from 'ipfs-car';

// x0 = seed, x' = (1103515245 x + 12345) mod 2^32; each byte is x >> 16.
function bytes_of({ size, seed }) {
  const out = Buffer.alloc(size);
  let x = seed >>> 0;
  for (let i = 0; i < size; ++i) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    out[i] = x >>> 16;
  }
  return out;
}

const chunk = 256 * 1024;
const one = (size, seed = size + 1) => [{ path: '', size, seed }];
const cases = [
  { what: 'an empty file', files: one(0) },
  { what: 'one byte', files: one(1) },
  { what: 'one chunk less a byte', files: one(chunk - 1) },
  { what: 'exactly one chunk', files: one(chunk) },
  { what: 'one chunk and a byte', files: one(chunk + 1) },
  { what: '1 MiB', files: one(4 * chunk) },
  { what: '1 MiB and a byte', files: one(4 * chunk + 1) },
  { what: '174 chunks, one full node of links', files: one(174 * chunk) },
  { what: '175 chunks, two levels of links', files: one(174 * chunk + 1) },
  { what: 'a small tree', files: [
    { path: 'index.html', size: 120, seed: 1 },
    { path: 'img/logo.png', size: 300000, seed: 2 },
    { path: 'img/deep/er/x', size: 0, seed: 3 },
    { path: 'a', size: 10, seed: 4 },
    { path: 'B', size: 11, seed: 5 },
    { path: 'a.b', size: 12, seed: 6 }] },
  { what: 'names that are hard to sort or to quote', files: [
    { path: '.hidden', size: 5, seed: 1 },
    { path: 'with space', size: 5, seed: 2 },
    { path: 'percent%20name', size: 5, seed: 3 },
    { path: 'quote"\'\\name', size: 5, seed: 4 },
    { path: 'naïve', size: 5, seed: 5 },
    { path: '漢字/👩‍👧', size: 5, seed: 6 },
    { path: '..hidden.too', size: 5, seed: 7 },
    { path: 'tab\tname', size: 5, seed: 8 }] },
  { what: 'the same bytes twice', files: [
    { path: 'one', size: 1000, seed: 9 }, { path: 'two', size: 1000, seed: 9 }, { path: 'sub/three', size: 1000, seed: 9 }] },
  { what: '500 files in one directory', files: Array.from({ length: 500 }, (_, i) => ({ path: `file-${i}`, size: i, seed: i })) },
];

const kubo = process.argv[2];
const work = mkdtempSync(join(tmpdir(), 'ipnscast-trees-'));
const ipfs = (...args) => execFileSync(kubo, args, { env: { ...process.env, IPFS_PATH: join(work, 'repo') } }).toString().trim();

async function with_ipfs_car(files) {
  const blobs = files.map((f) => ({ name: f.path, stream: () => new Blob([bytes_of(f)]).stream() }));
  let root;
  const stream = files[0].path === '' ? createFileEncoderStream(blobs[0]) : createDirectoryEncoderStream(blobs);
  await stream.pipeTo(new WritableStream({ write(block) { root = block.cid; } }));
  return root.toString();
}

try {
  ipfs('init', '--profile=test');
  for (const tree of cases) {
    const top = join(work, 'tree');
    for (const file of tree.files) {
      const path = file.path === '' ? top : join(top, file.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes_of(file));
    }
    tree.kubo_256k = ipfs('add', '-Q', '-r', '-H', '-n', '--cid-version=1', '--raw-leaves', top);
    tree.unixfs_v1_2025 = await with_ipfs_car(tree.files);
    rmSync(top, { recursive: true });
  }
} finally {
  rmSync(work, { recursive: true });
}
const lines = cases.map((c) => JSON.stringify(c));
writeFileSync(new URL('trees.json', import.meta.url), `{"made_by":"Kubo 0.42.0 and ipfs-car 3.1.0","trees":[\n${lines.join(',\n')}\n]}\n`);
console.log(`${cases.length} trees`);
