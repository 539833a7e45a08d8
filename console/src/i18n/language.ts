export type Language = 'zh' | 'en';
export const LANGUAGES: readonly Language[] = ['zh', 'en'];
export const HTML_LANG: Record<Language, string> = { zh: 'zh-CN', en: 'en' };
