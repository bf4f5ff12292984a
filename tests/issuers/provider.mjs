// A running OpenID provider (oidc-provider) over TLS on a free port of the loopback. Reads lines of JSON on standard
// input, and answers each with one line on standard output:
//   first   {"certificate", "key", "keys": [private JWK …], "client", "secret", "audience", "lifetime"}   {"url"}
//   later   {"keys": [private JWK …]}: its keys from now on; it signs with the first                      {"keys"}
// It ends with its standard input.
import https from 'node:https';
import readline from 'node:readline';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

function configure({ keys, client, secret, audience, lifetime }) {
  return {
    jwks: { keys },
    ttl: { ClientCredentials: lifetime },
    clients: [{
      client_id: client,
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetime,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

console.info = console.error; // what it tells people is no answer of ours

let handle;
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const first = JSON.parse((await lines.next()).value);
const server = https.createServer(
  { cert: readFileSync(first.certificate), key: readFileSync(first.key) },
  (request, response) => handle(request, response),
);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `https://localhost:${server.address().port}`;
handle = new Provider(url, configure(first)).callback();
say({ url });
for await (const line of lines) {
  const { keys } = JSON.parse(line);
  handle = new Provider(url, configure({ ...first, keys })).callback();
  say({ keys: keys.map((key) => key.kid) });
}
server.close();
server.closeAllConnections();
