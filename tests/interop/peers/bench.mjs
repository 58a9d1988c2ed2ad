// Frames from a file to verified events with nostr-tools: parse, id and signature. With `wasm` its signatures are checked
// by nostr-wasm. Stops after ten seconds of work.
import { readFileSync } from 'node:fs';
import { verifyEvent } from 'nostr-tools/pure';
import { setNostrWasm, verifyEvent as verifyWithWasm } from 'nostr-tools/wasm';
import { initNostrWasm } from 'nostr-wasm';

const [file, how] = process.argv.slice(2);
if (how === 'wasm') setNostrWasm(await initNostrWasm());
const verify = how === 'wasm' ? verifyWithWasm : verifyEvent;
const frames = readFileSync(file, 'utf8').trimEnd().split('\n');
const seconds = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
const before = seconds();
let events = 0;
for (const frame of frames) {
  const [, , event] = JSON.parse(frame);
  if (!verify(event)) throw new Error(`event ${event.id} does not verify`);
  if (++events % 100 === 0 && seconds() - before > 10) break;
}
console.log(JSON.stringify({ events, seconds: seconds() - before }));
