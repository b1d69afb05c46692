// Who may ask this provider, and the key it signs with.
import { generateKeyPairSync } from 'node:crypto';

const native = {
  // A native app's loopback redirect may have any port (RFC 8252 §7.3).
  application_type: 'native',
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback', 'http://127.0.0.1/auth/idp/callback'],
};

export const clients = [
  { client_id: 'native', token_endpoint_auth_method: 'none', ...native },
  // The secret arrives whole only when it was form-encoded (RFC 6749 §2.3.1).
  { client_id: 'confidential', client_secret: 'p+a s/s:w%&=', ...native },
  {
    client_id: 'observer',
    client_secret: 'observer-secret',
    grant_types: [],
    redirect_uris: [],
    response_types: [],
  },
];

export function signingKeys() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', kid: 'test-1', use: 'sig' }];
}
