import { Stream, type LiveMessage, type LiveState, type PageMessage } from './stream';

type Listener = (message: LiveMessage) => void;

/** The page's end of the event stream. */
class Live {
  state = $state<LiveState>('connecting');
  /** When the connection was lost, for the banner. */
  lostAt = $state<number | null>(null);
  #listeners = new Set<Listener>();
  #send: ((message: PageMessage) => void) | null = null;
  #on = false;

  start() {
    if (this.#on) return;
    this.#on = true;
    this.#send ??= this.#holder();
    this.#send('hello');
  }

  stop() {
    if (!this.#on) return;
    this.#on = false;
    this.#send?.('bye');
    this.state = 'connecting';
    this.lostAt = null;
  }

  retry() {
    this.#send?.('retry');
  }

  /** Returns what ends the subscription. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #holder(): (message: PageMessage) => void {
    window.addEventListener('pagehide', () => this.#send?.('bye'));
    window.addEventListener('pageshow', (event) => {
      if (event.persisted && this.#on) this.#send?.('hello');
    });
    window.addEventListener('online', () => this.retry());
    if (typeof SharedWorker === 'undefined') return this.#inPage();
    try {
      const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'docket-live' });
      worker.port.onmessage = (event: MessageEvent<LiveMessage>) => this.#heard(event.data);
      worker.onerror = () => {
        this.#send = this.#inPage();
        if (this.#on) this.#send('hello');
      };
      return (message) => worker.port.postMessage(message);
    } catch {
      return this.#inPage();
    }
  }

  /** Without SharedWorker each page holds its own stream. */
  #inPage(): (message: PageMessage) => void {
    const stream = new Stream((message) => this.#heard(message));
    return (message) => {
      if (message === 'hello') stream.start();
      else if (message === 'retry') stream.retry();
      else stream.stop();
    };
  }

  #heard(message: LiveMessage) {
    if (!this.#on) return;
    if (message.type === 'state') {
      this.state = message.state;
      if (message.state === 'lost') this.lostAt ??= Date.now();
      else if (message.state === 'open') this.lostAt = null;
    }
    for (const listener of this.#listeners) listener(message);
  }
}

export const live = new Live();
