/** One small picture of a storyboard: where it lies on its sheet, and when it holds. */
export interface Thumb {
  from_s: number;
  until_s: number;
  /** The sheet's address, beside the storyboard's. */
  sheet: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const TIME = /^(?:(\d+):)?(\d{1,2}):(\d{1,2})\.(\d{3})$/;
// Only sheets beside the storyboard: nothing may lead the browser elsewhere.
const PLACE = /^(storyboard-\d+\.jpg)#xywh=(\d+),(\d+),(\d+),(\d+)$/;

function seconds(text: string): number | null {
  const found = TIME.exec(text.trim());
  if (!found) return null;
  const [, hours, minutes, whole, thousandths] = found;
  return Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(whole) + Number(thousandths) / 1000;
}

/** Reads a storyboard (WebVTT with media fragments); cues that make no sense are left out. */
export function readStoryboard(vtt: string): Thumb[] {
  const thumbs: Thumb[] = [];
  const lines = vtt.split(/\r\n|\r|\n/);
  for (const [at, line] of lines.entries()) {
    const [left, right] = line.split('-->');
    if (right === undefined || left === undefined) continue;
    const from_s = seconds(left);
    const until_s = seconds(right.trim().split(/\s/)[0] ?? '');
    const place = PLACE.exec((lines[at + 1] ?? '').trim());
    if (from_s === null || until_s === null || until_s <= from_s || !place) continue;
    const [, sheet, x, y, width, height] = place;
    if (Number(width) < 1 || Number(height) < 1) continue;
    thumbs.push({ from_s, until_s, sheet: sheet as string, x: Number(x), y: Number(y), width: Number(width), height: Number(height) });
  }
  return thumbs.sort((a, b) => a.from_s - b.from_s);
}

/** The picture of a moment; null before the first and long after the last. */
export function thumbAt(thumbs: readonly Thumb[], at_s: number): Thumb | null {
  let low = 0;
  let high = thumbs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((thumbs[middle] as Thumb).from_s <= at_s) low = middle + 1;
    else high = middle;
  }
  const found = thumbs[low - 1];
  return found && at_s < found.until_s + 1 ? found : null;
}

/** While a sheet grows its address says how many pictures it has: a page fetches what it has shown no second time. */
export function growingSheets(thumbs: readonly Thumb[]): Thumb[] {
  const counts = new Map<string, number>();
  for (const { sheet } of thumbs) counts.set(sheet, (counts.get(sheet) ?? 0) + 1);
  return thumbs.map((thumb) => ({ ...thumb, sheet: `${thumb.sheet}?pictures=${counts.get(thumb.sheet) ?? 0}` }));
}
