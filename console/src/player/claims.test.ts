import { afterEach, expect, test, vi } from 'vitest';
import { api } from '../api/client';
import { Problem } from '../api/problem';
import { Claims } from './claims';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function started() {
  vi.useFakeTimers();
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('document', new EventTarget());
  const claims = new Claims('r');
  return { claims, stop: claims.start() };
}

test('claims every 15 s, no more at once than the daemon takes, and once more on leaving', async () => {
  const sent = vi.spyOn(api, 'shown').mockResolvedValue();
  const { claims, stop } = started();
  for (let n = 0; n < 100; n++) claims.shown.saw(n * 10, 0.04, 1);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(sent.mock.calls.map(([, stretches]) => stretches.length)).toEqual([64, 36]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(sent).toHaveBeenCalledTimes(2);
  claims.shown.saw(2000, 0.04, 1);
  stop();
  expect(sent.mock.calls[2]).toEqual(['r', [{ from_ms: 2_000_000, until_ms: 2_000_040 }]]);
});

test('what an outage kept back is claimed later; what is refused is not repeated', async () => {
  const sent = vi.spyOn(api, 'shown').mockRejectedValueOnce(new Problem(0, 'network', null, null)).mockRejectedValueOnce(new Problem(409, 'conflict', null, null)).mockResolvedValue();
  const { claims, stop } = started();
  claims.shown.saw(1, 0.04, 1);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(sent.mock.calls[1]).toEqual(sent.mock.calls[0]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(sent).toHaveBeenCalledTimes(2);
  sent.mockRejectedValueOnce(new Problem(404, 'not-found', null, null));
  claims.shown.saw(5, 0.04, 1);
  await vi.advanceTimersByTimeAsync(15_000);
  claims.shown.saw(9, 0.04, 1);
  stop();
  expect(sent).toHaveBeenCalledTimes(3);
});
