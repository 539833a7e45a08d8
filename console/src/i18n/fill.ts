/** Puts values into "{name}". "one|many" is decided by {n}: Chinese needs no such pair. */
export function fill(text: string, values: Record<string, string | number>): string {
  const bar = text.indexOf('|');
  const chosen = bar < 0 ? text : values['n'] === 1 ? text.slice(0, bar) : text.slice(bar + 1);
  return chosen.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
