// What a test may see and steer: token requests are counted, and held back until it lets them go.
import { EventEmitter, once } from 'node:events';

const MOMENTS = ['before_answering', 'before_processing'];

export class Control {
  #arrived = 0;
  #counts = {};
  #held = null;
  #lastTurn = Promise.resolve();
  #spent = new Set();
  #news = new EventEmitter().setMaxListeners(0);
  #slowDowns = 0;

  constructor({ accessTokenSeconds, revokeGrants }) {
    this.accessTokenSeconds = accessTokenSeconds;
    this.revokeGrants = revokeGrants;
  }

  // A middleware around the whole provider.
  async watch(context, next) {
    if (context.path !== '/token') return next();
    if (this.#slowDowns > 0) {
      // The provider itself never says so.
      this.#slowDowns -= 1;
      this.#counts.slowed_down = (this.#counts.slowed_down ?? 0) + 1;
      context.status = 400;
      context.body = { error: 'slow_down' };
      return;
    }
    await this.#pass('before_processing');
    await this.#inTurn(next);
    const { grant_type: grantType = 'unreadable', refresh_token: presented } = context.oidc?.params ?? {};
    if (presented && context.status === 200) this.#spent.add(presented);
    this.#counts[grantType] = (this.#counts[grantType] ?? 0) + 1;
    await this.#pass('before_answering');
  }

  // One token request at a time, as row locks would have it. Between finding a refresh token and marking it as used
  // the provider waits for its store; two requests that meet there are both answered, and reuse goes unpunished.
  async #inTurn(process) {
    const turn = this.#lastTurn.then(process);
    this.#lastTurn = turn.catch(() => {});
    await turn;
  }

  async #pass(moment) {
    if (this.#held !== moment) return;
    this.#arrived += 1;
    this.#news.emit('arrived');
    await once(this.#news, 'released');
  }

  async serve(request, response) {
    const url = new URL(request.url, 'http://127.0.0.1');
    try {
      const body = await this.#run(`${request.method} ${url.pathname}`, url, await read(request));
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body ?? { error: 'there is no such control' }));
    } catch (error) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: error.message }));
    }
  }

  async #run(control, url, order) {
    switch (control) {
      case 'GET /control/requests':
        return this.#counts;
      case 'DELETE /control/requests':
        this.#counts = {};
        return {};
      case 'PUT /control/was-spent':
        return { spent: this.#spent.has(order.token) };
      case 'PUT /control/hold':
        if (!MOMENTS.includes(order.moment)) throw new Error(`moment is one of ${MOMENTS.join(', ')}`);
        this.#release();
        this.#held = order.moment;
        return {};
      case 'GET /control/hold': {
        const count = Number(url.searchParams.get('wait_for') ?? 0);
        while (this.#arrived < count) await once(this.#news, 'arrived');
        return { arrived: this.#arrived };
      }
      case 'PUT /control/release':
        this.#release();
        return {};
      case 'PUT /control/access-token-lifetime':
        this.accessTokenSeconds = order.seconds;
        return {};
      case 'PUT /control/slow-down':
        this.#slowDowns = order.times;
        return {};
      case 'PUT /control/revoke-grants':
        this.revokeGrants();
        return {};
    }
  }

  #release() {
    this.#held = null;
    this.#arrived = 0;
    this.#news.emit('released');
  }
}

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length > 0 ? JSON.parse(Buffer.concat(chunks)) : {};
}
