import { en } from './en';
import { HTML_LANG, LANGUAGES, type Language } from './language';
import { fill } from './fill';
import { zh } from './zh';

export type Key = keyof typeof zh;
export type Values = Record<string, string | number>;

const STORED = 'docket-language';
const catalogs: Record<Language, Record<Key, string>> = { zh, en };

/** Chinese unless someone chose otherwise on this computer. */
class I18n {
  language = $state<Language>(stored());

  choose(language: Language) {
    this.language = language;
    try {
      localStorage.setItem(STORED, language);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
  }

  get htmlLang(): string {
    return HTML_LANG[this.language];
  }
}

function stored(): Language {
  try {
    const found = localStorage.getItem(STORED) as Language | null;
    if (found && LANGUAGES.includes(found)) return found;
  } catch {
    // As above.
  }
  return 'zh';
}

export const i18n = new I18n();

export function t(key: Key, values: Values = {}): string {
  return fill(catalogs[i18n.language][key], values);
}

/** For keys made of what the server says: an unknown word is shown as it came. */
export function tIfKnown(prefix: string, word: string): string {
  const key = `${prefix}.${word}`;
  return key in zh ? t(key as Key) : word;
}

export function knows(key: string): key is Key {
  return key in zh;
}
