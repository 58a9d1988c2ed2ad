// Starts @nostr-relay/core on one loopback port: relay.mjs PORT EVENTS.sqlite. Port 0 takes a free one.
// Prints "listening on ADDRESS" once it accepts connections.
import { NostrRelay } from '@nostr-relay/core';
import { EventRepositorySqlite } from '@nostr-relay/event-repository-sqlite';
import { Validator } from '@nostr-relay/validator';
import { WebSocketServer } from 'ws';

const [port, file] = process.argv.slice(2);
const events = new EventRepositorySqlite(file);
await events.init();
const relay = new NostrRelay(events);
const validator = new Validator();
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port), perMessageDeflate: { threshold: 128 } });

server.on('connection', (socket) => {
  relay.handleConnection(socket);
  socket.on('message', async (data) => {
    try {
      await relay.handleMessage(socket, await validator.validateIncomingMessage(data));
    } catch (error) {
      socket.send(JSON.stringify(['NOTICE', error.message]));
    }
  });
  socket.on('close', () => relay.handleDisconnect(socket));
  socket.on('error', () => socket.terminate());
});
server.on('listening', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
