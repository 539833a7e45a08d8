import type { Page, Recording } from '../api/types';

// Kept while the console is open, so that "back" shows the list at once and where it was.
const KEPT = 6;
const lists = new Map<string, Page<Recording>>();
const trails = new Map<string, (string | null)[]>();

export function remember(search: string, page: Page<Recording>) {
  lists.delete(search);
  lists.set(search, page);
  for (const oldest of lists.keys()) {
    if (lists.size <= KEPT) break;
    lists.delete(oldest);
  }
}

export function recall(search: string): Page<Recording> | null {
  return lists.get(search) ?? null;
}

/** The cursors of a search's pages by page number: a keyset knows only the way forward. */
export function trailOf(filters: string): (string | null)[] {
  let trail = trails.get(filters);
  if (!trail) trails.set(filters, (trail = []));
  return trail;
}

/** Another person may not see what this one saw. */
export function forgetPages() {
  lists.clear();
  trails.clear();
}
