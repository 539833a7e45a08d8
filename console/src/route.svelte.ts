import { parse, type Route } from './route';

/** The address bar is the only place where the console keeps where one is. */
class Router {
  route = $state<Route>({ name: 'unknown' });
  search = $state('');
  /** Differs for every entry of the history, so that lists know a return from a fresh visit. */
  #scrolls = new Map<string, number>();
  #key = '';

  constructor() {
    if (typeof window === 'undefined') return;
    history.scrollRestoration = 'manual';
    window.addEventListener('popstate', () => {
      this.#scrolls.set(this.#key, window.scrollY);
      this.#read();
    });
    document.addEventListener('click', (event) => this.#clicked(event));
    this.#read();
  }

  go(href: string, replace = false) {
    this.#scrolls.set(this.#key, window.scrollY);
    const key = replace ? this.#key : String(Date.now() + Math.random());
    if (replace) history.replaceState({ key }, '', href);
    else history.pushState({ key }, '', href);
    this.#read();
    if (!replace) window.scrollTo(0, 0);
  }

  /** A screen calls this when its content stands: after "back", one is where one was. */
  settle() {
    const scroll = this.#scrolls.get(this.#key);
    if (scroll !== undefined) requestAnimationFrame(() => window.scrollTo(0, scroll));
  }

  #read() {
    const state = history.state as { key?: string } | null;
    this.#key = state?.key ?? '';
    this.search = location.search;
    this.route = parse(location.pathname, location.search);
  }

  #clicked(event: MouseEvent) {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || !link.href || link.target || link.hasAttribute('download')) return;
    const target = new URL(link.href);
    if (target.origin !== location.origin || parse(target.pathname, target.search).name === 'unknown') return;
    event.preventDefault();
    if (target.href === location.href) return;
    this.go(target.pathname + target.search);
  }
}

export const router = new Router();
