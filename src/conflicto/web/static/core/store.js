// What a browser keeps for its pages. Where it keeps nothing, or has no room left, pages go on from memory and say so.

export class Store {
  #open; #memory = new Map();
  // open(): the browser's storage; even naming it may throw.
  constructor(open) {
    this.#open = open;
  }

  get(name) {
    if (this.#memory.has(name)) return this.#memory.get(name);
    return this.#attempt((storage) => storage.getItem(name)) ?? null;
  }

  // Says whether it is kept.
  set(name, text) {
    const isKept = this.#attempt((storage) => (storage.setItem(name, text), true)) ?? false;
    if (isKept) this.#memory.delete(name);
    else this.#memory.set(name, text);
    return isKept;
  }

  drop(name) {
    this.#memory.delete(name);
    this.#attempt((storage) => storage.removeItem(name));
  }

  #attempt(what) {
    try {
      return what(this.#open());
    } catch {
      return undefined;
    }
  }
}

export const store = new Store(() => localStorage);
export const ofTab = new Store(() => sessionStorage);
