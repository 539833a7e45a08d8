/**
 * The shapes of the public API that the console uses: generated from docs/openapi.json (`npm run types`), narrowed
 * where the description says in words what the type doesn't. Times are RFC 3339 in UTC, sizes are bytes.
 */
import type { components } from './openapi';

type Schemas = components['schemas'];
/** The daemon sends every member, null where there is nothing; the description calls those optional. */
type Whole<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
type Narrowed<T, N> = Omit<Whole<T>, keyof N> & N;

export interface Named {
  id: string;
  name: string;
}

export type Role = 'administrator' | 'supervisor' | 'case_handler' | 'auditor';
export type User = Narrowed<Schemas['SessionUser'], { role: Role; unit: Named }>;
export type Session = Narrowed<Schemas['Session'], { user: User }>;

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type Unit = Whole<Schemas['Unit']>;
export type Officer = Whole<Schemas['Officer']>;
export type Recorder = Omit<Schemas['Recorder'], 'assignments'>;

export type RecordingState = 'receiving' | 'sealing' | 'sealed' | 'incomplete' | 'quarantined' | 'deleted';
export type RecordingKind = 'video' | 'audio' | 'photo' | 'document' | 'other' | 'clip';
export type LinkState = 'linked' | 'proposed';
export type CaseLink = Narrowed<Schemas['CaseRef'], { state: LinkState }>;

/** Why something doesn't play, or plays only in part: a code to translate, or a sentence to show as it is. */
export interface Reason {
  code: string;
  detail?: string | null;
  text?: string;
}

/** Streams transcoded for viewing, by what they are in the original. */
export interface Made {
  video: string | null;
  audio: string | null;
}

export type Playback = Narrowed<
  Schemas['Playback'],
  {
    /** `growing`: what has arrived plays, more arrives. */
    state: 'ready' | 'pending' | 'impossible' | 'growing';
    reason: Reason | string | null;
    /** Growing by an index that came ahead: what is shown is settled only by the seal. */
    preview?: boolean;
    /** Growing: up to here one can watch now. */
    playable_ms?: number | null;
    /** Growing: no byte came for a while. */
    stalled?: boolean;
    made?: Made | null;
  }
>;

export type Recording = Narrowed<
  Schemas['Recording'],
  { state: RecordingState; kind: RecordingKind; cases: CaseLink[]; playback: Playback }
>;

export type Actor = Whole<Schemas['ActorRef']>;
export type CustodyItem = Narrowed<Schemas['CustodyEvent'], { actor: Actor; body: Record<string, unknown> }>;
export type Evidence = Narrowed<Schemas['Evidence'], { recording: Recording; state: LinkState; by: Actor }>;
export type CaseSummary = Narrowed<Schemas['CaseHead'], { state: 'open' | 'closed' }>;
export type Case = CaseSummary & { evidence: Evidence[] };

export type BayState = Schemas['BayState'];
/** Null: not known, as before the first bytes. */
export type Bay = Narrowed<Schemas['Bay'], { rate_bytes_per_s: number | null }>;
export type Station = Narrowed<Schemas['Station'], { bays: Bay[] }>;

export type DockingHead = Whole<Schemas['DockingHead']>;
export type DockingFile = Whole<Schemas['DockingFile']>;
export type Docking = DockingHead & { files: DockingFile[] };

/** What the event stream carries; the ids tell what to fetch again, nothing more. */
export interface CustodyEvent {
  leaf_index: number;
  kind: string;
  recording: string | null;
  case: string | null;
  station: string | null;
  unit: string | null;
}

export interface ProgressEvent {
  recording: string;
  received_bytes: number;
  size_bytes: number | null;
}

export type Marker = Narrowed<Schemas['Marker'], { placed_by: Actor; withdrawn_by: Actor | null }>;
export type MarkerWanted = Schemas['MarkerInput'];
export type ClipWanted = Schemas['ClipInput'];

/** A stretch of a recording's own time. */
export type Stretch = Schemas['ShownStretch'];
