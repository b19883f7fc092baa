// The phone's page and files, kept by a worker so that the phone can be opened again while the server is away.

import { boot } from "../core/i18n.js";

const WORKER = "~/sw.js?build=";

// Only secure origins have workers; on plain HTTP in a hall everything else works as it does with one.
export async function enableOffline() {
  if (!navigator.serviceWorker) return;
  const allowed = (address) => {
    if (!address.startsWith(WORKER)) throw new TypeError(address);
    return address;
  };
  const policy = globalThis.trustedTypes?.createPolicy("conflicto", { createScriptURL: allowed }) ?? { createScriptURL: allowed };
  try {
    await navigator.serviceWorker.register(policy.createScriptURL(WORKER + boot.base.split("/").at(-1)));
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage({ page: location.pathname, files: loadedFiles() });
  } catch {
    // a browser that refuses, in a private window for one
  }
}

const loadedFiles = () =>
  performance.getEntriesByType("resource").map((each) => new URL(each.name))
    .filter((each) => each.origin === location.origin && each.pathname.startsWith("~/s/")).map((each) => each.pathname);
