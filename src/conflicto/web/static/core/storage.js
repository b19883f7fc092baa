// What a browser keeps for its pages. Where it keeps nothing, or has no room left, pages go on from memory and say so.

export class BrowserStorage {
  #open; #memory = new Map();
  // open(): the browser's storage; even naming it may throw.
  constructor(open) {
    this.#open = open;
  }

  get(name) {
    if (this.#memory.has(name)) return this.#memory.get(name);
    return this.#attempt((backend) => backend.getItem(name)) ?? null;
  }

  // Says whether it is kept.
  set(name, text) {
    const isKept = this.#attempt((backend) => (backend.setItem(name, text), true)) ?? false;
    if (isKept) this.#memory.delete(name);
    else this.#memory.set(name, text);
    return isKept;
  }

  remove(name) {
    this.#memory.delete(name);
    this.#attempt((backend) => backend.removeItem(name));
  }

  #attempt(operation) {
    try {
      return operation(this.#open());
    } catch {
      return undefined;
    }
  }
}

export const storage = new BrowserStorage(() => localStorage);
export const tabStorage = new BrowserStorage(() => sessionStorage);
