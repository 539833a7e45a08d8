import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Case, Marker, Recording, Station } from '../../src/api/types';
import * as data from './data';

const DIST = join(import.meta.dirname, '../../dist');
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml',
  '.m3u8': 'application/vnd.apple.mpegurl', '.mp4': 'video/mp4', '.m4s': 'video/iso.segment', '.jpg': 'image/jpeg',
};
/** What the daemon sends with the console: a page that breaks it fails here first. */
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const STORYBOARD = `WEBVTT

00:00.000 --> 00:06.000
storyboard-0.jpg#xywh=0,0,160,90

00:06.000 --> 00:12.000
storyboard-0.jpg#xywh=160,0,160,90
`;

export type Mode = 'normal' | 'empty' | 'failing' | 'hanging';

/** As much of the daemon as the console's screens need. Serves the tests only. */
export class MockDaemon {
  mode: Mode = 'normal';
  signedIn = true;
  role = 'supervisor';
  recordings: Recording[] = data.recordings();
  shift: Recording[] = data.shift();
  stations: Station[] = data.stations();
  case: Case = data.caseOf(this.recordings);
  /** Where ffmpeg put playlist, segments and poster. */
  media = '';
  /** Requests of changes, as "METHOD path", with their bodies. */
  changes: { what: string; body: unknown; ifMatch: string | undefined }[] = [];
  asked: string[] = [];
  /** The idempotency keys that came with changes. */
  keys: (string | undefined)[] = [];
  /** How many segments of a growing recording have arrived, by its id; the others' are all there. */
  arrived = new Map<string, number>();
  /** What storyboard and waveform answer: nothing, until a test says otherwise. */
  looks = false;
  markers: Marker[] = data.markers();
  clips: Recording[] = data.clips();
  /** Whether the first recording has a track. */
  track = false;
  /** What the next attempt to place a marker or make a clip is answered. */
  refuseMark: { status: number; body: unknown } | null = null;
  claims: { recording: string; stretches: { from_ms: number; until_ms: number }[] }[] = [];
  refuseFirst: { status: number; body: unknown } | null = null;
  refuseHls: { status: number; body: unknown } | null = null;
  #server: Server;
  #streams = new Set<ServerResponse>();
  #leaf = 2000;

  constructor() {
    this.#server = createServer((request, response) => this.#handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error))));
  }

  /** With a port: comes back where it was. */
  async start(port = 0): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(port, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** Is gone, connections and all, and comes back where it was. */
  async outage(lasts_ms: number) {
    const { port } = this.#server.address() as AddressInfo;
    await this.stop();
    await new Promise((done) => setTimeout(done, lasts_ms));
    await this.start(port);
  }

  get streams(): number {
    return this.#streams.size;
  }

  push(event: 'progress' | 'station' | 'custody', payload: Record<string, unknown>) {
    const id = event === 'custody' ? `id: ${(this.#leaf += 1)}\n` : '';
    for (const stream of this.#streams) stream.write(`${id}event: ${event}\ndata: ${JSON.stringify(payload)}\n\n`);
  }

  cutStreams() {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  async #handle(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://mock');
    response.setHeader('x-request-id', 'req-7f3a9c');
    if (!url.pathname.startsWith('/v1/')) return this.#asset(url.pathname, response);
    this.asked.push(`${request.method} ${url.pathname}${url.search}`);
    const body = await read(request);
    const send = (status: number, value?: unknown) => {
      response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
      response.end(value === undefined ? '' : JSON.stringify(value));
    };
    const problem = (status: number, kind: string, detail?: string) => send(status, { type: `/problems/${kind}`, title: kind, status, detail });

    if (url.pathname === '/v1/session') return this.#session(request, body, send, problem);
    if (!this.signedIn) return problem(401, 'sign-in-required');
    if (url.pathname === '/v1/session/password') return send(204);
    if (url.pathname === '/v1/events') return this.#events(response);
    if (request.method !== 'GET') {
      const claimed = /^\/v1\/recordings\/([^/]+)\/shown$/.exec(url.pathname);
      if (claimed) {
        this.claims.push({ recording: claimed[1] ?? '', ...(body as { stretches: { from_ms: number; until_ms: number }[] }) });
        return send(204);
      }
      if (request.headers['x-docket-csrf'] !== 'csrf-1') return problem(403, 'csrf-mismatch');
      this.keys.push(request.headers['idempotency-key'] as string | undefined);
      this.changes.push({ what: `${request.method} ${decodeURIComponent(url.pathname)}`, body, ifMatch: request.headers['if-match'] });
    }
    if (this.mode === 'hanging') return;
    if (this.mode === 'failing') return problem(503, 'unavailable', 'the catalog is not available');
    this.#api(request, url, body, response, send, problem);
  }

  #session(request: IncomingMessage, body: unknown, send: Send, refuse: Refuse) {
    const answer = { user: { id: 'p-1', name: 'chenxiao', role: this.role, unit: { id: 'u-ny', name: '南明区卫生监督所' } }, csrf_token: 'csrf-1' };
    if (request.method === 'DELETE') {
      this.signedIn = false;
      return send(204);
    }
    if (request.method === 'POST') {
      if ((body as { password?: string }).password !== 'right') return refuse(401, 'wrong-password');
      this.signedIn = true;
    }
    return this.signedIn ? send(200, answer) : refuse(401, 'sign-in-required');
  }

  #events(response: ServerResponse) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 300\n: hello\n\n');
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  #api(request: IncomingMessage, url: URL, body: unknown, response: ServerResponse, send: Send, refuse: Refuse) {
    const empty = this.mode === 'empty';
    const page = (items: unknown[], next: string | null = null) => send(200, { items: empty ? [] : items, next: empty ? null : next });
    const [, , kind, id, under, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    if (kind === 'recordings' && !id) {
      const q = url.searchParams.get('q') ?? '';
      const state = url.searchParams.get('state');
      const { officer, from } = { officer: url.searchParams.get('officer'), from: url.searchParams.get('from') };
      // The shift's query, which names both.
      if (officer && from) return page(this.shift.filter((it) => it.officer?.id === officer));
      if (url.searchParams.get('unit') && url.searchParams.get('limit') === '200') return page([...this.shift, ...data.elsewhere()]);
      const found = this.recordings.filter((it) => it.file_name.includes(q) && (!state || it.state === state));
      return url.searchParams.get('cursor') ? page(found.slice(20)) : page(found, q || state ? null : 'cursor-2');
    }
    if (kind === 'recordings') return this.#recording(id ?? '', under, rest, request, body, response, send, refuse);
    if (kind === 'cases' && !id) {
      const q = url.searchParams.get('q') ?? '';
      return page(data.summaries.filter((it) => `${it.number}${it.title}`.includes(q)));
    }
    if (kind === 'cases') {
      if (!data.summaries.some((it) => it.number === id)) return refuse(404, 'not-found');
      if (request.method !== 'GET' && under === 'evidence') {
        const at = this.case.evidence.find((it) => it.recording.id === rest[0]);
        if (request.method === 'PUT' && at) at.state = 'linked';
        if (request.method === 'PUT' && !at) {
          const recording = this.recordings.find((it) => it.id === rest[0]);
          if (recording) this.case.evidence.push({ recording, state: 'linked', note: '', linked_at: '2026-11-24T02:00:00Z', by: { type: 'user', id: 'p-1', name: '陈晓' } });
        }
        if (request.method === 'DELETE') this.case.evidence = this.case.evidence.filter((it) => it.recording.id !== rest[0]);
        return send(request.method === 'PUT' ? 200 : 204, request.method === 'PUT' ? {} : undefined);
      }
      return send(200, { ...this.case, ...data.summaries.find((it) => it.number === id), evidence: empty ? [] : this.case.evidence });
    }
    if (kind === 'stations') return page(this.stations);
    if (kind === 'units') return page(data.units);
    if (kind === 'officers') return page(data.officers);
    if (kind === 'recorders') return page(data.recorders);
    if (kind === 'dockings' && !id) {
      const station = url.searchParams.get('station');
      return page(data.dockingHeads.filter((it) => !station || it.station_id === station));
    }
    if (kind === 'dockings' && under === 'first') return this.refuseFirst ? send(this.refuseFirst.status, this.refuseFirst.body) : send(202, {});
    if (kind === 'dockings') {
      const docking = data.docking(id ?? '');
      return docking ? send(200, empty ? { ...docking, files: [] } : docking) : refuse(404, 'not-found');
    }
    return refuse(404, 'not-found');
  }

  #recording(id: string, under: string | undefined, rest: string[], request: IncomingMessage, body: unknown, response: ServerResponse, send: Send, refuse: Refuse) {
    const recording = [...this.recordings, ...this.shift, ...data.elsewhere(), ...this.clips].find((it) => it.id === id);
    if (!recording) return refuse(404, 'not-found');
    if (under === undefined && request.method === 'PATCH') {
      if (request.headers['if-match'] !== `"${recording.version}"`) return refuse(412, 'precondition-failed');
      Object.assign(recording, body, { version: recording.version + 1 });
      return send(200, recording);
    }
    if (under === undefined) return send(200, recording);
    if (under === 'markers' || under === 'clips') return this.#marks(recording, under, rest[0], request.method ?? '', body, send);
    if (under === 'custody') return send(200, { items: this.mode === 'empty' ? [] : data.custody, next: null });
    if (under === 'hls' && this.refuseHls) return send(this.refuseHls.status, this.refuseHls.body);
    if (under === 'storyboard.vtt' && this.looks) return this.#text(response, 'text/vtt', STORYBOARD);
    if (under === 'waveform.json' && this.looks) return send(200, { peaks_per_s: 10, peaks: Array.from({ length: 120 }, (_, n) => Math.round(128 + 127 * Math.sin(n / 3))) });
    if (under === 'track.json' && this.track && id === data.VIDEO) return send(200, data.track());
    if (under === 'hls' && rest[0] === 'index.m3u8' && (recording.playback.state === 'growing' || this.arrived.has(id))) {
      return this.#text(response, 'application/vnd.apple.mpegurl', this.#growing(recording));
    }
    const file = under === 'storyboard-0.jpg' ? 'storyboard-0.jpg' : under === 'hls' ? rest[0] : under === 'poster.jpg' ? 'poster.jpg' : under === 'original' && recording.kind === 'photo' ? 'poster.jpg' : null;
    const path = file && this.media ? join(this.media, normalize(`/${file}`)) : null;
    if (!path || !existsSync(path) || recording.playback.state === 'pending') return refuse(404, 'not-found');
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
    response.end(readFileSync(path));
  }

  #marks(recording: Recording, under: 'markers' | 'clips', marker: string | undefined, method: string, body: unknown, send: Send) {
    const of = <T>(items: T[]) => send(200, { items: this.mode === 'empty' || recording.id !== data.VIDEO ? [] : items, next: null });
    if (method === 'GET') return under === 'markers' ? of(this.markers) : of(this.clips);
    if (this.refuseMark) {
      const { status, body: problem } = this.refuseMark;
      this.refuseMark = null;
      return send(status, problem);
    }
    if (method === 'DELETE') {
      const found = this.markers.find((it) => it.id === marker);
      if (found) Object.assign(found, { withdrawn_at: '2026-11-24T03:00:00Z', withdrawn_by: data.CHEN });
      return send(204);
    }
    if (under === 'markers') {
      const placed = data.marker(90 + this.markers.length, body as Partial<Marker>);
      this.markers = [...this.markers, placed].sort((a, b) => a.at_ms - b.at_ms);
      return send(201, placed);
    }
    const clip = data.clip(80 + this.clips.length, { ...data.unsealed, state: 'receiving', size_bytes: null }, body as { from_ms: number; until_ms: number; reason: string });
    this.clips = [clip, ...this.clips];
    return send(201, clip);
  }

  /** As the daemon lists what grows: the same segments, fewer of them, and no end. */
  #growing(recording: Recording): string {
    const lines = readFileSync(join(this.media, 'index.m3u8'), 'utf8').trim().split('\n');
    const first = lines.findIndex((it) => it.startsWith('#EXTINF'));
    const head = lines.slice(0, first).map((it) => it.replace('PLAYLIST-TYPE:VOD', 'PLAYLIST-TYPE:EVENT'));
    const segments = lines.slice(first).filter((it) => it !== '#EXT-X-ENDLIST');
    const sealed = recording.playback.state !== 'growing';
    const shown = sealed ? segments : segments.slice(0, 2 * (this.arrived.get(recording.id) ?? 3));
    return [...head, '#EXT-X-START:TIME-OFFSET=0', ...shown, ...(sealed ? ['#EXT-X-ENDLIST'] : []), ''].join('\n');
  }

  #text(response: ServerResponse, type: string, text: string) {
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(text);
  }

  #asset(pathname: string, response: ServerResponse) {
    const file = join(DIST, normalize(pathname));
    const found = extname(pathname) !== '' && existsSync(file) ? file : join(DIST, 'index.html');
    response.writeHead(200, { 'content-type': TYPES[extname(found)] ?? 'application/octet-stream', 'content-security-policy': CSP, 'x-content-type-options': 'nosniff' });
    response.end(readFileSync(found));
  }
}

type Send = (status: number, value?: unknown) => void;
type Refuse = (status: number, kind: string, detail?: string) => void;

async function read(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
