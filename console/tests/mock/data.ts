import type { Bay, Case, CaseSummary, CustodyItem, Docking, DockingHead, Marker, Officer, Recorder, Recording, Station, Unit } from '../../src/api/types';

export const units: Unit[] = [
  { id: 'u-gz', name: '贵州省卫生健康委员会', code: '520000', parent_id: null },
  { id: 'u-gy', name: '贵阳市卫生监督局', code: '520100', parent_id: 'u-gz' },
  { id: 'u-ny', name: '南明区卫生监督所', code: '520102', parent_id: 'u-gy' },
  { id: 'u-zy', name: '遵义市卫生监督所', code: '520300', parent_id: 'u-gz' },
];
const unit = { id: 'u-ny', name: '南明区卫生监督所' };

export const officers: Officer[] = [
  { id: 'o-1', name: '王建国', certificate_number: '24010301', unit, category: '卫生', area: '南明区' },
  { id: 'o-2', name: '欧阳雪梅', certificate_number: '24010302', unit, category: '卫生', area: '南明区' },
  { id: 'o-3', name: '李强', certificate_number: '24010303', unit, category: '卫生', area: '南明区' },
];
export const recorders: Recorder[] = [
  { id: 'r-1', serial: 'DSJ-A7-0001', model: 'A7', unit },
  { id: 'r-2', serial: 'DSJ-A7-0002', model: 'A7', unit },
];

export const VIDEO = '01932f00-0000-7000-8000-000000000001';
export const ARRIVING = '01932f00-0000-7000-8000-000000000002';
export const GROWING = '01932f00-0000-7000-8000-000000000060';
export const NINTH = '01932f00-0000-7000-8000-000000000009';
const digest = (n: number) => n.toString(16).padStart(2, '0').repeat(32);

export function recording(n: number, change: Partial<Recording> = {}): Recording {
  const minute = String(n % 60).padStart(2, '0');
  return {
    id: `01932f00-0000-7000-8000-${String(n).padStart(12, '0')}`,
    state: 'sealed',
    kind: 'video',
    file_name: `餐饮具消毒检查_20261123_${String(9 + (n % 8)).padStart(2, '0')}${minute}.mp4`,
    media_type: 'video/mp4',
    size_bytes: 1_234_567_890 + n * 7_654_321,
    received_bytes: 1_234_567_890 + n * 7_654_321,
    sha256: digest(n),
    sm3: null,
    claimed_sha256: digest(n),
    unit,
    officer: { id: officers[n % 3]?.id ?? '', name: officers[n % 3]?.name ?? '' },
    officer_claimed: null,
    recorder: { id: 'r-1', serial: `DSJ-A7-000${1 + (n % 2)}` },
    recorder_claimed: null,
    station: { id: 's-1', name: '南明所一楼采集站' },
    docking_id: 'd-1',
    recorded_at: `2026-11-23T01:${minute}:12Z`,
    created_at: '2026-11-23T09:02:00Z',
    sealed_at: '2026-11-23T09:04:31Z',
    verified_at: '2026-11-23T09:05:02Z',
    duplicate_of: null,
    derived_from: null,
    incomplete_reason: null,
    quarantine: null,
    marks: [],
    notes: '',
    tags: [],
    cases: [],
    held: false,
    playback: { state: 'ready', reason: null, duration_ms: 12_000, width: 640, height: 360 },
    version: 3,
    ...change,
  };
}

const pending = { state: 'pending', reason: null, duration_ms: null, width: null, height: null } as const;
export const unsealed = { sealed_at: null, verified_at: null, sha256: null, playback: pending };

export function recordings(): Recording[] {
  return [
    recording(1, {
      notes: '后厨消毒柜未通电，当事人在场陈述。',
      tags: ['消毒', '餐饮'],
      marks: ['key'],
      cases: [{ number: '贵卫医罚〔2026〕12号', unit, state: 'linked' }, { number: '贵卫水罚〔2026〕3号', unit, state: 'proposed' }],
    }),
    recording(2, { ...unsealed, state: 'receiving', received_bytes: 412_000_000, file_name: '游泳场所水质抽检.mp4', playback: { ...pending, reason: 'index_at_end' } }),
    recording(3, { ...unsealed, state: 'sealing', file_name: '美容院现场检查_第二段.mp4' }),
    recording(4, { ...unsealed, state: 'receiving', size_bytes: null, received_bytes: 3_200_000, file_name: '现场录音.m4a', kind: 'audio' }),
    recording(5, {
      state: 'incomplete', received_bytes: 88_000_000, incomplete_reason: 'recorder_lost', file_name: '诊所检查.mp4', verified_at: null,
      playback: { state: 'impossible', reason: 'index_missing', duration_ms: null, width: null, height: null },
    }),
    recording(6, {
      state: 'quarantined', quarantine: { expected_sha256: digest(171), actual_sha256: digest(205) }, file_name: 'DSJ_0006.MP4', sealed_at: null, verified_at: null,
      playback: pending, officer: null, officer_claimed: '24019999', recorder: null, recorder_claimed: 'X999', marks: ['unknown_recorder', 'unknown_officer'],
    }),
    recording(7, { kind: 'photo', file_name: '许可证照片.jpg', media_type: 'image/jpeg', size_bytes: 3_400_000, playback: { ...pending, state: 'impossible' }, held: true }),
    recording(8, {
      file_name: 'a-very-long-file-name-without-any-space-that-some-recorder-made-of-everything-it-knew_20261123091500_0001_0002.mov',
      verified_at: null, playback: { state: 'impossible', reason: { code: 'video_codec_unsupported', detail: 'H.265' }, duration_ms: 600_000, width: 1920, height: 1080 },
    }),
    recording(9, { duplicate_of: VIDEO, tags: ['复查'], playback: { state: 'ready', reason: { code: 'truncated' }, duration_ms: 12_000, width: 640, height: 360 } }),
    recording(10, { kind: 'document', file_name: '现场检查笔录.pdf', media_type: 'application/pdf', size_bytes: 220_000, recorded_at: null, playback: { ...pending, state: 'impossible' } }),
    recording(11, { state: 'deleted', playback: { ...pending, state: 'impossible' } }),
    recording(60, {
      ...unsealed, state: 'receiving', received_bytes: 620_000_000, file_name: '医院放射科检查_正在上传.mp4', id: GROWING,
      playback: { state: 'growing', reason: null, duration_ms: 12_000, width: 640, height: 360, preview: true, playable_ms: 6000, stalled: false, made: { video: 'hevc', audio: 'pcm_mulaw' } },
    }),
    ...Array.from({ length: 13 }, (_, n) => recording(12 + n)),
  ];
}

export const CHEN = { type: 'user', id: 'p-1', name: '陈晓' };
export function marker(n: number, change: Partial<Marker>): Marker {
  return { id: `m-${n}`, at_ms: 0, until_ms: null, text: '', placed_at: '2026-11-24T02:10:00Z', placed_by: CHEN, withdrawn_at: null, withdrawn_by: null, ...change };
}
export function markers(): Marker[] {
  return [
    marker(1, { at_ms: 2_000, text: '消毒柜电源未接通' }),
    marker(2, { at_ms: 5_000, until_ms: 8_000, text: '当事人陈述：消毒柜上周已损坏，一直没有报修；餐饮具只用清水冲洗。', placed_by: { type: 'user', id: 'p-2', name: '王建国' } }),
    marker(3, { at_ms: 9_000, text: '这里看不清', withdrawn_at: '2026-11-24T02:30:00Z', withdrawn_by: CHEN }),
  ];
}

/** A clip of the first recording. */
export function clip(n: number, change: Partial<Recording> = {}, of = { from_ms: 4_000, until_ms: 8_040, reason: '作为行政处罚案件的证据提交' }): Recording {
  return recording(n, {
    kind: 'clip', file_name: `餐饮具消毒检查 00.00.04-00.00.08.mp4`, size_bytes: 2_345_678, received_bytes: 2_345_678, recorded_at: '2026-11-23T01:01:16Z', station: null, docking_id: null,
    playback: { state: 'ready', reason: null, duration_ms: of.until_ms - of.from_ms, width: 640, height: 360 },
    derived_from: { recording: VIDEO, sha256: digest(1), from_ms: of.from_ms, until_ms: of.until_ms, transcoded: false, reason: of.reason },
    ...change,
  });
}
export const CLIP = '01932f00-0000-7000-8000-000000000080';
export const clips = (): Recording[] => [clip(80)];

/** A walk around a block in Guiyang, with no position for a while. */
export function track() {
  const walk = (at_ms: number) => ({ at_ms, latitude_deg: 26.6471 + 0.0009 * Math.sin(at_ms / 2500), longitude_deg: 106.6302 + 0.0022 * Math.cos(at_ms / 3700), altitude_m: 1071.4, speed_m_per_s: 1.4 + at_ms / 12_000, fix_at: null });
  return { source: 'gpmf', from_recording: null, points: Array.from({ length: 121 }, (_, n) => walk(n * 100)) };
}

export const summaries: CaseSummary[] = [
  { id: 'c-1', number: '贵卫医罚〔2026〕12号', unit, title: '某诊所未取得《医疗机构执业许可证》擅自执业案', state: 'open', version: 1 },
  { id: 'c-2', number: '贵卫水罚〔2026〕3号', unit, title: '某游泳馆水质不合格案', state: 'open', version: 1 },
  { id: 'c-3', number: '贵卫公罚[2025]118号', unit, title: '', state: 'closed', version: 4 },
];

export function caseOf(items: Recording[]): Case {
  const by = { type: 'user', id: 'p-1', name: '陈晓' };
  return {
    ...(summaries[0] as CaseSummary),
    evidence: [
      { recording: items[0] as Recording, state: 'linked', note: '检查全程', linked_at: '2026-11-23T10:00:00Z', by },
      { recording: items[8] as Recording, state: 'proposed', note: '', linked_at: '2026-11-23T10:05:00Z', by: { type: 'station', id: 's-1', name: '南明所一楼采集站' } },
    ],
  };
}

export const custody: CustodyItem[] = [
  { leaf_index: 1201, id: 'e1', kind: 'recording.announced', at: '2026-11-23T09:02:00Z', actor: { type: 'station', id: 's-1', name: '南明所一楼采集站' }, body: {} },
  { leaf_index: 1207, id: 'e2', kind: 'recording.sealed', at: '2026-11-23T09:04:31Z', actor: { type: 'system', id: 'daemon', name: null }, body: { state: 'sealed', size_bytes: 1242222211, sha256: digest(1) } },
  { leaf_index: 1208, id: 'e3', kind: 'recording.verified', at: '2026-11-23T09:05:02Z', actor: { type: 'system', id: 'daemon', name: null }, body: {} },
  { leaf_index: 1330, id: 'e4', kind: 'viewing.opened', at: '2026-11-24T01:11:00Z', actor: { type: 'user', id: 'p-1', name: '陈晓' }, body: { from: '10.1.2.3' } },
  { leaf_index: null, id: 'e5', kind: 'something.new', at: '2026-11-24T01:12:00Z', actor: { type: 'token', id: 't-9', name: null }, body: {} },
];

const bay = (name: string, change: Partial<Bay>): Bay => ({
  name, state: 'empty', recorder_serial: null, officer_name: null, files_total: 0, files_done: 0, bytes_total: 0, bytes_done: 0, rate_bytes_per_s: null, message: null, ...change,
});

export function stations(): Station[] {
  return [
    {
      id: 's-1', name: '南明所一楼采集站', unit, online: true, last_seen_at: '2026-11-24T01:00:00Z', version: '0.1.0',
      bays: [
        bay('1', { state: 'may_be_taken', recorder_serial: 'DSJ-A7-0001', officer_name: '王建国', files_total: 9, files_done: 9, bytes_total: 4_600_000_000, bytes_done: 4_600_000_000 }),
        bay('2', { state: 'uploading', recorder_serial: 'DSJ-A7-0002', officer_name: '欧阳雪梅', files_total: 14, files_done: 5, bytes_total: 7_900_000_000, bytes_done: 2_700_000_000, rate_bytes_per_s: 23_400_000 }),
        bay('3', { state: 'reading', recorder_serial: 'DSJ-A7-0003' }),
        bay('4', { state: 'verified', recorder_serial: 'DSJ-A7-0004', officer_name: '李强', files_total: 3, files_done: 3, bytes_total: 900_000_000, bytes_done: 900_000_000 }),
        bay('5', { state: 'fault', recorder_serial: 'DSJ-A7-0005', message: '读取 DCIM/0003.MP4 失败：USB 连接中断。请拔出后重新插入。' }),
        bay('6', {}), bay('7', {}), bay('8', {}),
      ],
    },
    {
      id: 's-2', name: '二楼备用站', unit, online: false, last_seen_at: new Date(Date.now() - 7 * 3_600_000).toISOString(), version: '0.1.0',
      bays: [bay('1', { state: 'uploading', recorder_serial: 'B-11', officer_name: '李强', files_total: 4, files_done: 1, bytes_total: 2_000_000_000, bytes_done: 600_000_000, rate_bytes_per_s: 9_000_000 }), bay('2', {})],
    },
  ];
}

const head = (id: string, change: Partial<DockingHead>): DockingHead => ({
  id, station_id: 's-1', unit, bay: '1', recorder_serial: 'DSJ-A7-0001', started_at: '2026-11-23T09:00:00Z', finished_at: null, outcome: null, recorder_clock_offset_ms: 192_000, ...change,
});
export const dockingHeads: DockingHead[] = [
  head('d-1', {}),
  head('d-2', { bay: '2', recorder_serial: 'DSJ-A7-0002', recorder_clock_offset_ms: null }),
  head('d-3', { recorder_serial: 'DSJ-A7-0005', started_at: '2026-11-22T09:00:00Z', finished_at: '2026-11-22T09:20:00Z', outcome: 'recorder_lost' }),
  head('d-4', { bay: '3', recorder_serial: 'DSJ-A7-0003', started_at: '2026-11-21T09:00:00Z', finished_at: '2026-11-21T09:40:00Z', outcome: 'complete' }),
];

export function docking(id: string): Docking | null {
  const found = dockingHeads.find((it) => it.id === id);
  if (!found) return null;
  const file = (n: number, recording: string | null) => ({ path: `DCIM/100MEDIA/DSJ_${String(n).padStart(4, '0')}.MP4`, size_bytes: 400_000_000 + n * 1_000_000, modified_at: `2026-11-23T0${n}:20:00Z`, recording });
  return { ...found, files: [file(1, VIDEO), file(2, ARRIVING), file(3, null), file(4, null)] };
}

/** What another at the same place recorded meanwhile, in two pieces. */
export function elsewhere(): Recording[] {
  const officer = { id: 'o-2', name: '李敏' };
  const playback = { state: 'ready', reason: null, duration_ms: 12_000, width: 640, height: 360 } as const;
  return [
    recording(71, { officer, recorded_at: '2026-11-23T01:00:06Z', playback, file_name: '同班_71.mp4' }),
    recording(72, { officer, recorded_at: '2026-11-23T01:01:20Z', playback, file_name: '同班_72.mp4' }),
  ];
}

/** An officer's day: two that follow each other, a gap, one that grows, one that does not play. */
export function shift(): Recording[] {
  const officer = { id: 'o-1', name: '王建国' };
  const ready = { state: 'ready', reason: null, duration_ms: 12_000, width: 640, height: 360 } as const;
  const at = (n: number, recorded_at: string, change: Partial<Recording> = {}) => recording(n, { officer, recorded_at, playback: ready, file_name: `班次_${n}.mp4`, ...change });
  return [
    at(61, '2026-11-23T01:00:00Z'),
    at(62, '2026-11-23T01:00:12.500Z'),
    at(63, '2026-11-23T01:01:10Z', { playback: { ...ready, state: 'impossible', reason: 'index_missing' } }),
    at(64, '2026-11-23T01:01:40Z', { state: 'receiving', sealed_at: null, verified_at: null, playback: { ...ready, state: 'growing', preview: true, playable_ms: 6000, stalled: false } }),
  ];
}
