import type { Reason } from '../api/types';
import { knows, t } from '../i18n/i18n.svelte';

/** A reason in the reader's language where its code is known, in the server's words where it isn't. */
export function saidText(said: Reason): string | null {
  const key = `reason.${said.code}`;
  if (!knows(key)) return null;
  return said.detail ? t('reason.about', { text: t(key), detail: said.detail }) : t(key);
}
