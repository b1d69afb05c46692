// A certified OpenID provider as a test peer: pages to click through, refresh tokens that rotate and whose reuse ends
// the grant. One JSON line on standard output says that it is ready; ../README.md lists its controls.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

import { clients, signingKeys } from './clients.mjs';
import { Control } from './control.mjs';
import { Store } from './store.mjs';

const control = new Control({
  accessTokenSeconds: Number(process.env.ACCESS_TOKEN_SECONDS ?? 5),
  revokeGrants: () => Store.revokeGrants(),
});

// The issuer is part of the configuration, and it holds the port: so the port comes first.
const server = createServer();
await new Promise((listening) => server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  adapter: Store,
  claims: { email: ['email', 'email_verified'], openid: ['sub'], profile: ['preferred_username'] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  clients,
  // Otherwise access tokens work for fifteen seconds longer than they say.
  clockTolerance: 0,
  cookies: { keys: [randomBytes(16).toString('hex')] },
  features: {
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: async (_context, id) => ({
    accountId: id,
    claims: async () => ({
      email: `${id}@example.test`,
      email_verified: true,
      preferred_username: id,
      sub: id,
    }),
  }),
  jwks: { keys: signingKeys() },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  scopes: ['openid', 'offline_access', 'email', 'profile'],
  ttl: {
    AccessToken: () => control.accessTokenSeconds,
    AuthorizationCode: 60,
    DeviceCode: 600,
    Grant: 86_400,
    IdToken: 300,
    Interaction: 600,
    RefreshToken: 86_400,
    Session: 86_400,
  },
});
provider.use((context, next) => control.watch(context, next));

const answer = provider.callback();
server.on('request', (request, response) => {
  if (request.url.startsWith('/control/')) control.serve(request, response);
  else answer(request, response);
});

// Whoever started the server holds the other end of standard input: when they die, it goes too.
process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
console.log(JSON.stringify({ ready: true, issuer }));
