import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';

// After an update of the daemon the old pages' parts are gone: load the new page, but not for ever.
window.addEventListener('vite:preloadError', (event) => {
  try {
    const last = Number(sessionStorage.getItem('docket-reloaded') ?? 0);
    if (Date.now() - last < 60_000) return;
    sessionStorage.setItem('docket-reloaded', String(Date.now()));
  } catch {
    return;
  }
  event.preventDefault();
  location.reload();
});

const target = document.getElementById('app');
if (target) mount(App, { target });
