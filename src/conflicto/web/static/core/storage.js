// Storage of the browser, with memory as the fallback if it is full or not available.

export class BrowserStorage {
  #open;
  #memory = new Map();
  // open() returns the browser's storage. Even its name may throw.
  constructor(open) {
    this.#open = open;
  }

  get(name) {
    if (this.#memory.has(name)) return this.#memory.get(name);
    return this.#attempt((backend) => backend.getItem(name));
  }

  // Returns whether the text is stored persistently.
  set(name, text) {
    const isKept =
      this.#attempt((backend) => {
        backend.setItem(name, text);
        return true;
      }) ?? false;
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
      return null;
    }
  }
}

export const storage = new BrowserStorage(() => localStorage);
export const tabStorage = new BrowserStorage(() => sessionStorage);
