import type { Actor } from '../../api/types';
import { t, tIfKnown } from '../../i18n/i18n.svelte';

/** Who did it, as people know them. */
export function actorText(actor: Actor): string {
  if (actor.type === 'system') return t('actor.self');
  return actor.name ?? `${tIfKnown('actor', actor.type)} ${actor.id}`;
}
