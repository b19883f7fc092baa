// Storage of the browser, with memory as the fallback if it is full or not available.

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Backend */

export class BrowserStorage {
  #open;
  /** @type {Map<string, string>} */
  #memory = new Map();

  /** @param {() => Backend} open returns the browser's storage; even its name may throw */
  constructor(open) {
    this.#open = open;
  }

  /**
   * @param {string} name
   * @returns {string | null}
   */
  get(name) {
    return this.#memory.get(name) ?? this.#attempt((backend) => backend.getItem(name));
  }

  /**
   * Returns whether the text is stored persistently.
   *
   * @param {string} name
   * @param {string} text
   */
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

  /** @param {string} name */
  remove(name) {
    this.#memory.delete(name);
    this.#attempt((backend) => backend.removeItem(name));
  }

  /**
   * @template T
   * @param {(backend: Backend) => T} operation
   * @returns {T | null}
   */
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
