// Starts snstr's relay on one loopback port, in memory: relay.mjs PORT. Port 0 takes a free one.
// Prints "listening on ADDRESS" once it accepts connections.
import { NostrRelay } from 'snstr/testing';

const relay = new NostrRelay(Number(process.argv[2]));
await relay.start();
console.log(`listening on 127.0.0.1:${relay.wss.address().port}`);
