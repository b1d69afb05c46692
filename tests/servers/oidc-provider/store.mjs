// Everything the provider remembers, in memory. The adapter it comes with forgets the oldest of a thousand entries,
// which a long run of tests would reach in the middle of a login.
const models = new Map();

export class Store {
  constructor(model) {
    if (!models.has(model)) models.set(model, new Map());
    this.entries = models.get(model);
  }

  static revokeGrants() {
    for (const model of ['AccessToken', 'AuthorizationCode', 'Grant', 'RefreshToken']) models.get(model)?.clear();
  }

  async upsert(id, payload) {
    this.entries.set(id, payload);
  }

  async find(id) {
    return this.entries.get(id);
  }

  async findByUid(uid) {
    return [...this.entries.values()].find((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode) {
    return [...this.entries.values()].find((payload) => payload.userCode === userCode);
  }

  async consume(id) {
    this.entries.get(id).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.entries.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const [id, payload] of this.entries) {
      if (payload.grantId === grantId) this.entries.delete(id);
    }
  }
}
