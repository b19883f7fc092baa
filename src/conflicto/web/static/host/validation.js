// Asks the server whether what is being written would be taken, a moment after the last touch, and says at each field what is wrong.

const PAUSE_MS = 400;

export class Validation {
  #type; #timer = 0; #requests = 0;
  #errorsByPointer = new Map(); // pointer: what is wrong
  #touched = new Set();
  #isRefused = false;

  constructor(type) {
    this.#type = type;
  }

  // What was not touched yet is not complained of, unless the whole was refused.
  errorAt = (pointer) => {
    const isShown = this.#isRefused || [...this.#touched].some((each) => each === pointer || each.startsWith(`${pointer}/`));
    return isShown ? (this.#errorsByPointer.get(pointer) ?? null) : null;
  };

  schedule(pointer, client, { config, secret }, ready) {
    this.#touched.add(pointer);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      const turn = (this.#requests += 1);
      const response = await client.post(`/activity-types/${this.#type}/validate`, secret === null ? { config } : { config, secret }).catch(() => null);
      if (response === null || turn !== this.#requests) return;
      this.#setErrors(response.errors);
      ready();
    }, PAUSE_MS);
  }

  // Takes over what saving found wrong; says whether that was anything of the kind.
  applyProblem(problem) {
    const errors = (problem?.body.errors ?? []).filter(({ pointer }) => /^\/(config|secret)/.test(pointer));
    if (!errors.length) return false;
    this.#isRefused = true;
    this.#setErrors(errors);
    return true;
  }

  #setErrors(errors) {
    this.#errorsByPointer = new Map(errors.map(({ pointer, message }) => [pointer, message]));
  }
}
