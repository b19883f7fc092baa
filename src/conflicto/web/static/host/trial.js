// Asks the server whether what is being written would be taken, a moment after the last touch, and says at each field what is wrong.

const PAUSE_MS = 400;

export class Trial {
  #type; #timer = 0; #asked = 0;
  #faults = new Map(); // pointer: what is wrong
  #touched = new Set();
  #isRefused = false;

  constructor(type) {
    this.#type = type;
  }

  // What was not touched yet is not complained of, unless the whole was refused.
  at = (pointer) => {
    const isShown = this.#isRefused || [...this.#touched].some((each) => each === pointer || each.startsWith(`${pointer}/`));
    return isShown ? (this.#faults.get(pointer) ?? null) : null;
  };

  after(pointer, caller, { config, secret }, ready) {
    this.#touched.add(pointer);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      const turn = (this.#asked += 1);
      const said = await caller.post(`/activity-types/${this.#type}/validate`, secret === null ? { config } : { config, secret }).catch(() => null);
      if (said === null || turn !== this.#asked) return;
      this.#keep(said.errors);
      ready();
    }, PAUSE_MS);
  }

  // Takes over what saving found wrong; says whether that was anything of the kind.
  refused(problem) {
    const errors = (problem?.body.errors ?? []).filter(({ pointer }) => /^\/(config|secret)/.test(pointer));
    if (!errors.length) return false;
    this.#isRefused = true;
    this.#keep(errors);
    return true;
  }

  #keep(errors) {
    this.#faults = new Map(errors.map(({ pointer, message }) => [pointer, message]));
  }
}
