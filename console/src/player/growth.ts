/** Up to where it plays from here without loading; null: nothing is loaded here. */
export function bufferedUntil(buffered: readonly [number, number][], at_s: number): number | null {
  const here = buffered.find(([from_s, to_s]) => from_s <= at_s + 0.2 && at_s <= to_s);
  return here ? here[1] : null;
}
