// Helia's verified-fetch of one CID from one gateway into a file, for tools/bench/fetch:
//   node --import from_cache.mjs helia_fetch.mjs GATEWAY CID file|tar OUT
// Without libp2p: nothing but the gateway is asked. The gateway stands as the router too, as Helia 7 waits for ever when it
// has none but a fallback.
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { withHTTP } from '@helia/http';
import { createVerifiedFetchWithHelia } from '@helia/verified-fetch';
import { createHeliaLight } from 'helia';

const [gateway, cid, format, out] = process.argv.slice(2);
const alive = setInterval(() => {}, 1000); // its own timers do not keep the program running
const helia = await withHTTP(createHeliaLight(), {
  recursiveGateways: [gateway],
  delegatedRouters: [gateway],
  allowInsecure: true,
  allowLocal: true,
}).start();
const get = await createVerifiedFetchWithHelia(helia);
const accept = format === 'tar' ? { headers: { accept: 'application/x-tar' } } : {};
const answer = await get(`ipfs://${cid}${format === 'tar' ? '?format=tar' : ''}`, accept);
if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
await pipeline(Readable.fromWeb(answer.body), createWriteStream(out));
clearInterval(alive);
process.exit(0);
