/** "a, b c，d、e" → five tags, each once, in the order written. */
export function splitTags(text: string): string[] {
  const tags = text.split(/[\s,，、;；]+/u).map((tag) => tag.replace(/^#+/, ''));
  return [...new Set(tags.filter((tag) => tag !== ''))];
}
