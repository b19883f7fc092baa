// Registers the service worker, which serves the page and its files without a connection.

import { boot } from "../core/i18n.js";

const WORKER = "~/sw.js?build=";

// Only secure origins have service workers. Everything else works on plain HTTP too.
export async function enableOffline() {
  if (!navigator.serviceWorker) return;
  const allowed = (address) => {
    if (!address.startsWith(WORKER)) throw new TypeError(address);
    return address;
  };
  const policy = globalThis.trustedTypes?.createPolicy("conflicto", { createScriptURL: allowed }) ?? {
    createScriptURL: allowed,
  };
  try {
    await navigator.serviceWorker.register(policy.createScriptURL(WORKER + boot.base.split("/").at(-1)));
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage({ page: location.pathname, files: loadedFiles() });
  } catch {
    // some browsers refuse it, for example in private windows
  }
}

const loadedFiles = () =>
  performance
    .getEntriesByType("resource")
    .map((each) => new URL(each.name))
    .filter((each) => each.origin === location.origin && each.pathname.startsWith("~/s/"))
    .map((each) => each.pathname);
