import { createSubscriber } from 'svelte/reactivity';

/** The time, ticking once a second for whoever shows it and not at all otherwise. */
const ticking = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

export function now_ms(): number {
  ticking();
  return Date.now();
}
