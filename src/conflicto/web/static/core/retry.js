// Tries again by itself what the server refused for a while.

const JITTER_MS = 1_000; // so that a hall that was refused at once does not come back at once

export class Retry {
  #timer = 0;

  stop() {
    clearTimeout(this.#timer);
  }

  // Returns the seconds until `what` happens again, or 0 if the refusal names no time.
  schedule(problem, action) {
    this.stop();
    const waitS = problem.retryAfterS;
    if (waitS) this.#timer = setTimeout(action, waitS * 1000 + Math.random() * JITTER_MS);
    return waitS;
  }
}
