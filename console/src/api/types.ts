/** The shapes of the public API that the console uses. Times are RFC 3339 in UTC, sizes are bytes. */

export interface Named {
  id: string;
  name: string;
}

export type Role = 'administrator' | 'supervisor' | 'case_handler' | 'auditor';

export interface User extends Named {
  role: Role;
  unit: Named;
}

export interface Session {
  user: User;
  csrf_token: string;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Unit extends Named {
  code: string;
  parent_id: string | null;
}

export interface Officer extends Named {
  certificate_number: string;
  unit: Named;
  category: string | null;
  area: string | null;
}

export interface Recorder {
  id: string;
  serial: string;
  model: string | null;
  unit: Named;
}

export type RecordingState = 'receiving' | 'sealing' | 'sealed' | 'incomplete' | 'quarantined' | 'deleted';
export type RecordingKind = 'video' | 'audio' | 'photo' | 'document' | 'other';
export type LinkState = 'linked' | 'proposed';

export interface CaseLink {
  number: string;
  unit: Named;
  state: LinkState;
}

/** Why something doesn't play, or plays only in part: a code to translate, or a sentence to show as it is. */
export interface Reason {
  code: string;
  detail?: string | null;
  text?: string;
}

export interface Playback {
  state: 'ready' | 'pending' | 'impossible';
  reason: Reason | string | null;
  duration_ms: number | null;
  width: number | null;
  height: number | null;
}

export interface Recording {
  id: string;
  state: RecordingState;
  kind: RecordingKind;
  file_name: string | null;
  media_type: string | null;
  size_bytes: number | null;
  received_bytes: number;
  sha256: string | null;
  sm3: string | null;
  claimed_sha256: string | null;
  unit: Named;
  officer: Named | null;
  officer_claimed: string | null;
  recorder: { id: string; serial: string } | null;
  recorder_claimed: string | null;
  station: Named | null;
  docking_id: string | null;
  recorded_at: string | null;
  created_at: string;
  sealed_at: string | null;
  verified_at: string | null;
  duplicate_of: string | null;
  incomplete_reason: string | null;
  quarantine: { expected_sha256: string; actual_sha256: string } | null;
  marks: string[];
  notes: string | null;
  tags: string[];
  cases: CaseLink[];
  held: boolean;
  playback: Playback;
  version: number;
}

export interface Actor {
  type: string;
  id: string;
  name: string | null;
}

export interface CustodyItem {
  leaf_index: number | null;
  id: string;
  kind: string;
  at: string;
  actor: Actor;
  body: Record<string, unknown>;
}

export interface Evidence {
  recording: Recording;
  state: LinkState;
  note: string | null;
  linked_at: string;
  by: Actor;
}

export interface CaseSummary {
  id: string;
  number: string;
  unit: Named;
  title: string | null;
  state: 'open' | 'closed';
  version: number;
}

export interface Case extends CaseSummary {
  evidence: Evidence[];
}

export type BayState = 'empty' | 'reading' | 'uploading' | 'verified' | 'may_be_taken' | 'fault';

export interface Bay {
  name: string;
  state: BayState;
  recorder_serial: string | null;
  officer_name: string | null;
  files_total: number;
  files_done: number;
  bytes_total: number;
  bytes_done: number;
  rate_bytes_per_s: number | null;
  message: string | null;
}

export interface Station extends Named {
  unit: Named;
  online: boolean;
  last_seen_at: string | null;
  version: string | null;
  bays: Bay[];
}

export interface Docking {
  id: string;
  bay: string;
  recorder_serial: string | null;
  started_at: string;
  recorder_clock_offset_ms: number | null;
}

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
