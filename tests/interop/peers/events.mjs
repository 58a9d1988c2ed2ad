// Events by nostr-tools and nostr-wasm, one a line on both sides:
//   events.mjs sign SECRET     unsigned events in, signed ones out
//   events.mjs verify          {"id","nostr_tools","nostr_wasm"} per event
//   events.mjs publish URL     sends each to a relay: {"id","ok","message"} per event
//   events.mjs req URL FILTER  what the relay has, until EOSE
import { readFileSync } from 'node:fs';
import { finalizeEvent, verifyEvent } from 'nostr-tools/pure';
import { Relay, useWebSocketImplementation } from 'nostr-tools/relay';
import { initNostrWasm } from 'nostr-wasm';
import WebSocket from 'ws';

useWebSocketImplementation(WebSocket);
const [command, ...args] = process.argv.slice(2);
const input = () => readFileSync(0, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
const print = (value) => console.log(JSON.stringify(value));

if (command === 'sign') {
  for (const event of input()) print(finalizeEvent(event, Buffer.from(args[0], 'hex')));
} else if (command === 'verify') {
  const wasm = await initNostrWasm();
  for (const event of input()) {
    let by_wasm = true;
    try {
      wasm.verifyEvent(event);
    } catch {
      by_wasm = false;
    }
    print({ id: event.id, nostr_tools: verifyEvent(event), nostr_wasm: by_wasm });
  }
} else if (command === 'publish') {
  const relay = await Relay.connect(args[0]);
  for (const event of input()) {
    try {
      print({ id: event.id, ok: true, message: await relay.publish(event) });
    } catch (error) {
      print({ id: event.id, ok: false, message: error.message });
    }
  }
  relay.close();
} else if (command === 'req') {
  const relay = await Relay.connect(args[0]);
  await new Promise((done) => relay.subscribe([JSON.parse(args[1])], { onevent: print, oneose: done }));
  relay.close();
} else {
  console.error('events.mjs sign SECRET | verify | publish URL | req URL FILTER');
  process.exit(2);
}
