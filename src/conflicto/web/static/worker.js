// Service worker: caches the phone's page and files, so that the page opens without a connection. It never caches the API.

/** @typedef {{ page: string, files: string[] }} CachedFiles the message of the first page */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis));
const CACHE_NAME = `conflicto ${new URL(location.href).searchParams.get("build")}`;
const PAGE = "~/p/"; // every session has the same shell
const TIMEOUT_MS = 5_000;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(removeOldCaches()));
worker.addEventListener("message", (event) => event.waitUntil(cacheFiles(event.data)));
worker.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (event.request.cache === "no-store") return; // a check of the build must reach the server
  if (pathname.startsWith("~/s/")) event.respondWith(file(event.request));
  else if (event.request.mode === "navigate" && pathname.startsWith(PAGE)) event.respondWith(page(event.request));
});

// Deletes caches of other builds, whose files have other addresses.
async function removeOldCaches() {
  for (const name of await caches.keys())
    if (name.startsWith("conflicto ") && name !== CACHE_NAME) await caches.delete(name);
  await worker.clients.claim();
}

/**
 * The first page loads before the worker runs, and lists its files in a message.
 *
 * @param {CachedFiles} message
 */
async function cacheFiles({ page: address, files }) {
  const cached = await caches.open(CACHE_NAME);
  if (!(await cached.match(PAGE))) await page(new Request(address)).catch(() => {});
  for (const each of files) if (!(await cached.match(each))) await cached.add(each).catch(() => {});
}

/** @param {Request} request */
async function file(request) {
  const cached = await caches.match(request);
  if (cached) return cached;
  const response = await fetch(request);
  if (response.ok) await (await caches.open(CACHE_NAME)).put(request, response.clone());
  return response;
}

/** @param {Request} request */
async function page(request) {
  const cached = await caches.match(PAGE);
  try {
    const response = await fetch(request, cached ? { signal: AbortSignal.timeout(TIMEOUT_MS) } : {});
    if (response.ok) await (await caches.open(CACHE_NAME)).put(PAGE, response.clone());
    return response;
  } catch (error) {
    if (!cached) throw error;
    return cached;
  }
}
