import { api, useCsrf, whenExpired } from './api/client';
import { Problem, asProblem } from './api/problem';
import type { Session, User } from './api/types';

/** Who is signed in. `expired` keeps the page standing under a sign-in, so that nothing typed is lost. */
class SessionState {
  user = $state<User | null>(null);
  expired = $state(false);
  /** Nobody was asked yet. */
  unknown = $state(true);
  problem = $state<Problem | null>(null);
  /** Grows with every return from an expired session: what is shown is fetched again. */
  returned = $state(0);

  // What the daemon would refuse anyway is not offered; the decision is the daemon's alone.
  get canAnnotate(): boolean {
    return this.user?.role === 'supervisor';
  }

  get canLink(): boolean {
    return this.user?.role === 'supervisor' || this.user?.role === 'case_handler';
  }

  get canMark(): boolean {
    return this.user?.role === 'supervisor' || this.user?.role === 'case_handler';
  }

  get canClip(): boolean {
    return this.user?.role === 'supervisor' || this.user?.role === 'case_handler';
  }

  async ask() {
    this.problem = null;
    try {
      this.#take(await api.session());
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 401) this.#lose();
      else if (this.unknown) this.problem = problem;
    }
  }

  async signIn(name: string, password: string) {
    const back = this.expired;
    const before = this.user?.id;
    const session = await api.signIn(name, password);
    this.#take(session);
    if (back && before === session.user.id) this.returned += 1;
  }

  async signOut() {
    try {
      await api.signOut();
    } catch (error) {
      if (asProblem(error).status !== 401) throw error;
    }
    useCsrf(null);
    this.expired = false;
    this.user = null;
  }

  expire() {
    if (this.user) this.expired = true;
    else this.unknown = false;
  }

  #take(session: Session) {
    useCsrf(session.csrf_token);
    this.user = session.user;
    this.expired = false;
    this.unknown = false;
  }

  #lose() {
    if (this.user) this.expired = true;
    this.unknown = false;
  }
}

export const session = new SessionState();
whenExpired(() => session.expire());
