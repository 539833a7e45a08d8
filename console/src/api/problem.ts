/** What went wrong with one call: an RFC 9457 problem, or no answer at all (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** The last part of the problem's type, e.g. `digest-mismatch`; `network` without an answer. */
    readonly kind: string,
    readonly detail: string | null,
    readonly traceId: string | null,
    /** A stable word of why, where the kind alone doesn't say it, e.g. `index_at_end`. */
    readonly reason: string | null = null,
  ) {
    super(`${status} ${kind}`);
  }

  static async from(response: Response): Promise<Problem> {
    let body: Record<string, unknown> = {};
    try {
      body = (await response.json()) as Record<string, unknown>;
    } catch {
      // A proxy's own error page is no JSON; the status says enough.
    }
    const text = (key: string) => (typeof body[key] === 'string' ? (body[key] as string) : null);
    const trace = response.headers.get('x-request-id') ?? text('request_id') ?? text('trace_id') ?? text('instance');
    return new Problem(response.status, kindOf(text('type'), response.status), text('detail') ?? text('title'), trace, text('reason'));
  }
}

function kindOf(type: string | null, status: number): string {
  const last = type?.split('/').pop();
  return last && last !== 'about:blank' ? last : `status-${status}`;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, 'unexpected', error instanceof Error ? error.message : String(error), null);
}
