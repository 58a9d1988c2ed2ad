// Starts nostrmini on one loopback port, in memory: relay.mjs PORT. Port 0 takes a free one.
// Prints "listening on ADDRESS" once it accepts connections.
import nostrmini from 'nostrmini';

const relay = new nostrmini.default();
const server = relay.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
server.on('listening', () => console.log(`listening on 127.0.0.1:${relay.address().port}`));
