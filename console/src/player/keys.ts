export type Action =
  | 'toggle'
  | 'back'
  | 'forward'
  | 'frame_back'
  | 'frame_forward'
  | 'louder'
  | 'quieter'
  | 'faster'
  | 'slower'
  | 'mute'
  | 'full';

const KEYS: Record<string, Action> = {
  ' ': 'toggle',
  k: 'toggle',
  ArrowLeft: 'back',
  ArrowRight: 'forward',
  ',': 'frame_back',
  '.': 'frame_forward',
  ArrowUp: 'louder',
  ArrowDown: 'quieter',
  ']': 'faster',
  '[': 'slower',
  m: 'mute',
  f: 'full',
  // What a Chinese input method makes of the same keys.
  '，': 'frame_back',
  '。': 'frame_forward',
  '】': 'faster',
  '【': 'slower',
};

/** What a key does to the player, unless it belongs to what has the focus. */
export function keyAction(event: KeyboardEvent, player: Element | undefined): Action | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return null;
  const focused = event.target instanceof Element ? event.target : null;
  const inside = focused !== null && player !== undefined && player.contains(focused);
  if (focused?.closest('textarea,select,[contenteditable],input:not([type="range"]),dialog')) return null;
  // Space presses the focused button; arrows move the volume. On the seek bar they do what they do elsewhere.
  if (action === 'toggle' && focused?.closest('button,a,summary')) return null;
  if (event.key.startsWith('Arrow') && focused?.matches('.volume')) return null;
  // Up and down scroll the page, unless one is in the player.
  if ((action === 'louder' || action === 'quieter') && !inside) return null;
  return action;
}
