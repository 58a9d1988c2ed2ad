// Encrypted keys (NIP-49) by nostr-tools, one a line on both sides:
//   encrypted_keys.mjs encrypt    {"secret","password","log_n","security"} in, ncryptsec as JSON string out
//   encrypted_keys.mjs decrypt    {"ncryptsec","password"} in, {"secret"} or {"error"} out
import { readFileSync } from 'node:fs';
import { decrypt, encrypt } from 'nostr-tools/nip49';

const print = (value) => console.log(JSON.stringify(value));
const rows = readFileSync(0, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
for (const row of rows) {
  if (process.argv[2] === 'encrypt') {
    print(encrypt(new Uint8Array(Buffer.from(row.secret, 'hex')), row.password, row.log_n, row.security));
    continue;
  }
  try {
    print({ secret: Buffer.from(decrypt(row.ncryptsec, row.password)).toString('hex') });
  } catch (error) {
    print({ error: error.message });
  }
}
