export type Action =
  | { do: 'toggle' | 'louder' | 'quieter' | 'faster' | 'slower' | 'mute' | 'full' | 'help' }
  /** A marker now; begin and end of a stretch. */
  | { do: 'mark' | 'begin' | 'end' }
  | { do: 'skip'; by_s: number }
  | { do: 'frame'; direction: 1 | -1 }
  /** To so many tenths of the whole. */
  | { do: 'tenth'; n: number };

const KEYS: Record<string, Action> = {
  ' ': { do: 'toggle' },
  k: { do: 'toggle' },
  j: { do: 'skip', by_s: -10 },
  l: { do: 'skip', by_s: 10 },
  ArrowLeft: { do: 'skip', by_s: -5 },
  ArrowRight: { do: 'skip', by_s: 5 },
  ',': { do: 'frame', direction: -1 },
  '.': { do: 'frame', direction: 1 },
  ArrowUp: { do: 'louder' },
  ArrowDown: { do: 'quieter' },
  ']': { do: 'faster' },
  '[': { do: 'slower' },
  m: { do: 'mute' },
  f: { do: 'full' },
  b: { do: 'mark' },
  i: { do: 'begin' },
  o: { do: 'end' },
  '?': { do: 'help' },
  // What a Chinese input method makes of the same keys.
  '，': { do: 'frame', direction: -1 },
  '。': { do: 'frame', direction: 1 },
  '】': { do: 'faster' },
  '【': { do: 'slower' },
  '？': { do: 'help' },
};

/** What a key does to the player, unless it belongs to what has the focus. */
export function keyAction(event: KeyboardEvent, player: Element | undefined): Action | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  const action = /^[0-9]$/.test(event.key)
    ? ({ do: 'tenth', n: Number(event.key) } as const)
    : KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return null;
  const focused = event.target instanceof Element ? event.target : null;
  const inside = focused !== null && player !== undefined && player.contains(focused);
  if (focused?.closest('textarea,select,[contenteditable],input:not([type="range"]):not([type="checkbox"]),dialog')) return null;
  // Space presses the focused button; arrows move the volume. On the seek bar they do what they do elsewhere.
  if (event.key === ' ' && focused?.closest('button,a,summary,input[type="checkbox"]')) return null;
  if (event.key.startsWith('Arrow') && focused?.matches('.volume')) return null;
  // Up and down scroll the page, unless one is in the player.
  if ((action.do === 'louder' || action.do === 'quieter') && !inside) return null;
  return action;
}
