import { Problem } from './problem';
import type {
  Case,
  CaseSummary,
  ClipWanted,
  CustodyItem,
  Docking,
  DockingHead,
  Marker,
  MarkerWanted,
  Officer,
  Page,
  Recorder,
  Recording,
  Session,
  Station,
  Stretch,
  Unit,
} from './types';

export type Query = Record<string, string | number | null | undefined>;

interface Options {
  query?: Query;
  body?: unknown;
  ifMatch?: number;
  signal?: AbortSignal | undefined;
  /** Goes out even when the page is being left. */
  keepalive?: boolean;
  /** Sent again with the same key, it is done once. */
  once?: string;
  /** The answer is text, not JSON. */
  text?: boolean;
}

const TIMEOUT_MS = 30_000;

let csrfToken: string | null = null;
let onExpired: () => void = () => {};

/** Called with the session's answer; every change carries the token from then on. */
export function useCsrf(token: string | null) {
  csrfToken = token;
}

/** `then` runs whenever the daemon says that nobody is signed in any more. */
export function whenExpired(then: () => void) {
  onExpired = then;
}

export function url(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  try {
    return await once<T>(method, path, options);
  } catch (error) {
    if (!(error instanceof Problem) || error.kind !== 'csrf-mismatch') throw error;
    // Another page signed in anew and has the newer token; nothing was changed yet, so once more is safe.
    csrfToken = (await once<Session>('GET', '/v1/session', {})).csrf_token;
    return once<T>(method, path, options);
  }
}

async function once<T>(method: string, path: string, options: Options): Promise<T> {
  const headers: Record<string, string> = { accept: options.text ? '*/*' : 'application/json' };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (options.once !== undefined) headers['idempotency-key'] = options.once;
  if (options.ifMatch !== undefined) headers['if-match'] = `"${options.ifMatch}"`;
  if (method !== 'GET' && csrfToken) headers['x-docket-csrf'] = csrfToken;

  const abort = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort.abort();
  }, TIMEOUT_MS);
  const outer = options.signal;
  const stop = () => abort.abort();
  if (outer?.aborted) abort.abort();
  outer?.addEventListener('abort', stop);
  try {
    const response = await fetch(url(path, options.query), {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      credentials: 'same-origin',
      cache: 'no-cache',
      signal: abort.signal,
      keepalive: options.keepalive ?? false,
    });
    if (!response.ok) {
      const problem = await Problem.from(response);
      if (problem.status === 401 && path !== '/v1/session' && path !== '/v1/session/password') onExpired();
      throw problem;
    }
    const text = await response.text();
    if (options.text) return text as unknown as T;
    return (text ? JSON.parse(text) : undefined) as T;
  } catch (error) {
    if (error instanceof Problem || outer?.aborted) throw error;
    if (error instanceof SyntaxError) throw new Problem(0, 'unreadable', error.message, null);
    throw new Problem(0, late ? 'timeout' : 'network', null, null);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', stop);
  }
}

const part = encodeURIComponent;
const recordingPath = (id: string) => `/v1/recordings/${part(id)}`;
const casePath = (number: string) => `/v1/cases/${part(number)}`;
type Signal = AbortSignal | undefined;

/** Every call that the console makes. */
export const api = {
  session: () => call<Session>('GET', '/v1/session'),
  signIn: (name: string, password: string) => call<Session>('POST', '/v1/session', { body: { name, password } }),
  signOut: () => call<void>('DELETE', '/v1/session'),
  changePassword: (old: string, fresh: string) =>
    call<void>('POST', '/v1/session/password', { body: { old, new: fresh } }),

  units: (signal: Signal) => everything<Unit>('/v1/units', signal),
  officers: (signal: Signal) => everything<Officer>('/v1/officers', signal),
  recorders: (signal: Signal) => everything<Recorder>('/v1/recorders', signal),

  recordings: (query: Query, signal: Signal) => call<Page<Recording>>('GET', '/v1/recordings', { query, signal }),
  recording: (id: string, signal: Signal) => call<Recording>('GET', recordingPath(id), { signal }),
  changeRecording: (id: string, version: number, change: { notes: string; tags: string[] }) =>
    call<Recording>('PATCH', recordingPath(id), { body: change, ifMatch: version }),
  custody: (id: string, cursor: string | null, signal: Signal) =>
    call<Page<CustodyItem>>('GET', `${recordingPath(id)}/custody`, { query: { cursor }, signal }),
  /** Fetched only to learn why the player could not have it. */
  playlist: (id: string) => call<unknown>('GET', `${recordingPath(id)}/hls/index.m3u8`),
  storyboard: (id: string, signal: Signal) => call<string>('GET', `${recordingPath(id)}/storyboard.vtt`, { signal, text: true }),
  waveform: (id: string, signal: Signal) => call<unknown>('GET', `${recordingPath(id)}/waveform.json`, { signal }),
  /** 404 where a recording has none, which most haven't. */
  track: (id: string, signal: Signal) => call<unknown>('GET', `${recordingPath(id)}/track.json`, { signal }),
  markers: (id: string, signal: Signal) => call<Page<Marker>>('GET', `${recordingPath(id)}/markers`, { signal }),
  placeMarker: (id: string, wanted: MarkerWanted, once: string) => call<Marker>('POST', `${recordingPath(id)}/markers`, { body: wanted, once }),
  withdrawMarker: (id: string, marker: string) => call<void>('DELETE', `${recordingPath(id)}/markers/${part(marker)}`),
  clips: (id: string, signal: Signal) => call<Page<Recording>>('GET', `${recordingPath(id)}/clips`, { signal }),
  makeClip: (id: string, wanted: ClipWanted, once: string) => call<Recording>('POST', `${recordingPath(id)}/clips`, { body: wanted, once }),
  /** This page's claim of what it showed. */
  shown: (id: string, stretches: Stretch[]) => call<void>('POST', `${recordingPath(id)}/shown`, { body: { stretches }, keepalive: true }),
  dockings: (query: Query, signal: Signal) => call<Page<DockingHead>>('GET', '/v1/dockings', { query, signal }),
  /** A supervisor wants a listed file now: its station sends it before all others. */
  first: (docking: string, path: string) => call<unknown>('POST', `/v1/dockings/${part(docking)}/first`, { body: { path } }),
  docking: (id: string, signal: Signal) => call<Docking>('GET', `/v1/dockings/${part(id)}`, { signal }),

  cases: (query: Query, signal: Signal) => call<Page<CaseSummary>>('GET', '/v1/cases', { query, signal }),
  case: (number: string, unit: string | null, signal?: Signal) =>
    call<Case>('GET', casePath(number), { query: { unit }, signal }),
  putCase: (number: string, unit: string | null, title: string) =>
    call<Case>('PUT', casePath(number), { query: { unit }, body: { title } }),
  link: (number: string, unit: string | null, recording: string, note?: string) =>
    call<unknown>('PUT', `${casePath(number)}/evidence/${part(recording)}`, {
      query: { unit },
      body: note ? { note } : {},
    }),
  unlink: (number: string, unit: string | null, recording: string) =>
    call<void>('DELETE', `${casePath(number)}/evidence/${part(recording)}`, { query: { unit } }),

  stations: (signal: Signal) => everything<Station>('/v1/stations', signal),
};

/** Places that the browser fetches itself (img, a, hls.js). */
export const place = {
  original: (id: string) => `${recordingPath(id)}/original`,
  playlist: (id: string) => `${recordingPath(id)}/hls/index.m3u8`,
  /** Another address each time it is tried again, or the browser remembers that there was none. */
  poster: (id: string, tries = 0) => `${recordingPath(id)}/poster.jpg${tries > 0 ? `?again=${tries}` : ''}`,
  /** `sheet` as the storyboard names it. */
  sheet: (id: string, sheet: string) => `${recordingPath(id)}/${sheet}`,
  receipt: (id: string, level: 'stored' | 'verified') => `${recordingPath(id)}/receipt?level=${level}`,
};

/** Follows the cursors of a register; bounded, because a register that long needs a search, not a list. */
async function everything<T>(path: string, signal: Signal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < 20; pages++) {
    const page: Page<T> = await call<Page<T>>('GET', path, { query: { cursor, limit: 200 }, signal });
    items.push(...page.items);
    cursor = page.next;
    if (!cursor) break;
  }
  return items;
}
