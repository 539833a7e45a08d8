/** The console's addresses. */
export type Route =
  | { name: 'recordings' }
  | { name: 'recording'; id: string }
  | { name: 'cases' }
  | { name: 'case'; number: string; unit: string | null }
  | { name: 'stations' }
  | { name: 'dockings' }
  | { name: 'docking'; id: string }
  | { name: 'shift' }
  | { name: 'together' }
  | { name: 'account' }
  | { name: 'unknown' };

/** Addresses of one part; what they show stands behind the question mark. */
const PAGES: readonly Route[] = [
  { name: 'recordings' },
  { name: 'cases' },
  { name: 'stations' },
  { name: 'dockings' },
  { name: 'shift' },
  { name: 'together' },
  { name: 'account' },
];

export function parse(pathname: string, search: string): Route {
  const parts = pathname.split('/').filter((part) => part !== '');
  const [first, second] = parts;
  if (parts.length === 0) return { name: 'recordings' };
  if (parts.length === 1) {
    return PAGES.find((it) => it.name === first) ?? { name: 'unknown' };
  }
  const value = decoded(second ?? '');
  if (parts.length > 2 || value === null) return { name: 'unknown' };
  if (first === 'recordings') return { name: 'recording', id: value };
  if (first === 'dockings') return { name: 'docking', id: value };
  if (first === 'cases') return { name: 'case', number: value, unit: new URLSearchParams(search).get('unit') };
  return { name: 'unknown' };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** A dot would make the address look like a file's to who serves the console. */
const part = (text: string) => encodeURIComponent(text).replace(/\./g, '%2E');

export const href = {
  recording: (id: string) => `/recordings/${part(id)}`,
  docking: (id: string) => `/dockings/${part(id)}`,
  /** The shift that a moment lies in: an officer's day. */
  shift: (officer: string, day: string) => `/shift?officer=${encodeURIComponent(officer)}&day=${day}`,
  case: (number: string, unit: string) => `/cases/${part(number)}?unit=${encodeURIComponent(unit)}`,
};
