// Retries an action after the time that the server names.

const JITTER_MS = 1_000; // spreads the retries of many clients

export class Retry {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  stop() {
    clearTimeout(this.#timer);
  }

  /**
   * Returns the seconds until the retry, or 0 if the problem names no time.
   *
   * @param {{ retryAfterS: number }} problem
   * @param {() => void} action
   */
  schedule(problem, action) {
    this.stop();
    const waitS = problem.retryAfterS;
    if (waitS) this.#timer = setTimeout(action, waitS * 1000 + Math.random() * JITTER_MS);
    return waitS;
  }
}
