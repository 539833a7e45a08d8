import type { CustodyEvent, ProgressEvent } from '../api/types';

/** What the holder of the event stream tells every page. */
export type LiveMessage =
  | { type: 'state'; state: LiveState }
  | { type: 'custody'; event: CustodyEvent }
  | { type: 'progress'; event: ProgressEvent }
  | { type: 'station'; station: string }
  /** Events were missed: fetch again what is shown. */
  | { type: 'resync' };

export type LiveState = 'connecting' | 'open' | 'lost';

/** What a page tells the holder. */
export type PageMessage = 'hello' | 'bye' | 'retry';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/**
 * Holds one EventSource and keeps it alive. EventSource reconnects by itself after a broken
 * connection, with Last-Event-ID; it gives up after an HTTP error, and then this makes a new one.
 */
export class Stream {
  state: LiveState = 'connecting';
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry_ms = FIRST_RETRY_MS;
  #missed = false;

  constructor(
    private readonly tell: (message: LiveMessage) => void,
    private readonly make: () => EventSource = () => new EventSource('/v1/events'),
  ) {}

  get running(): boolean {
    return this.#source !== null;
  }

  start() {
    if (this.#source) return;
    this.#open();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#missed = true;
    this.state = 'connecting';
  }

  /** Connects at once instead of waiting for the next try. */
  retry() {
    if (!this.#source || this.state === 'open') return;
    this.#retry_ms = FIRST_RETRY_MS;
    this.#again();
  }

  #open() {
    clearTimeout(this.#timer);
    const source = this.make();
    this.#source = source;
    source.onopen = () => {
      this.#retry_ms = FIRST_RETRY_MS;
      this.#set('open');
      // Progress carries no id and is not repeated, so every reconnection asks for a fresh look.
      if (this.#missed) this.tell({ type: 'resync' });
      this.#missed = false;
    };
    source.onerror = () => {
      this.#missed = true;
      this.#set('lost');
      if (source.readyState !== EventSource.CLOSED) return;
      this.#timer = setTimeout(() => this.#again(), this.#retry_ms);
      this.#retry_ms = Math.min(this.#retry_ms * 2, LAST_RETRY_MS);
    };
    this.#on(source, 'custody', (data) => this.tell({ type: 'custody', event: data as CustodyEvent }));
    this.#on(source, 'progress', (data) => this.tell({ type: 'progress', event: data as ProgressEvent }));
    this.#on(source, 'station', (data) => this.tell({ type: 'station', station: (data as { station: string }).station }));
  }

  #again() {
    this.#source?.close();
    this.#open();
  }

  #on(source: EventSource, name: string, then: (data: unknown) => void) {
    source.addEventListener(name, (event) => {
      try {
        then(JSON.parse((event as MessageEvent<string>).data));
      } catch {
        // An event that can't be read is an event missed; the next reconnection makes up for it.
        this.#missed = true;
      }
    });
  }

  #set(state: LiveState) {
    if (this.state === state) return;
    this.state = state;
    this.tell({ type: 'state', state });
  }
}
