// Tries again by itself what the server refused for a while.

const SPREAD_MS = 1_000; // so that a hall that was refused at once does not come back at once

export class Again {
  #timer = 0;

  stop() {
    clearTimeout(this.#timer);
  }

  // Returns the seconds until `what` happens again, or 0 if the refusal names no time.
  after(problem, what) {
    this.stop();
    const waitS = problem.retryAfterS;
    if (waitS) this.#timer = setTimeout(what, waitS * 1000 + Math.random() * SPREAD_MS);
    return waitS;
  }
}
