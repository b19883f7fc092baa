// Validates an edited activity on the server, shortly after the last input, and maps errors to fields.

const PAUSE_MS = 400;

export class Validation {
  #path;
  #timer = 0;
  #requests = 0;
  #errorsByPointer = new Map(); // messages by JSON pointer
  #touched = new Set();
  #isRefused = false;

  constructor(type, known) {
    // A type for one session is not in the list of types: saving validates it.
    this.#path = known?.version?.startsWith("x")
      ? null
      : `/activity-types/${type}/validate${known ? `?version=${known.version}` : ""}`;
  }

  // Returns the error of a field. Untouched fields have none until saving was refused.
  errorAt = (pointer) => {
    const isShown =
      this.#isRefused || [...this.#touched].some((each) => each === pointer || each.startsWith(`${pointer}/`));
    return isShown ? (this.#errorsByPointer.get(pointer) ?? null) : null;
  };

  schedule(pointer, client, { config, secret }, ready) {
    this.#touched.add(pointer);
    if (!this.#path) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      this.#requests += 1;
      const turn = this.#requests;
      const response = await client
        .post(this.#path, secret === null ? { config } : { config, secret })
        .catch(() => null);
      if (response === null || turn !== this.#requests) return;
      this.#setErrors(response.errors);
      ready();
    }, PAUSE_MS);
  }

  // Takes over the errors of a refused save. Returns whether the problem had any.
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
