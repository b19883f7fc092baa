// Keeps the phone's page and its files, so that a phone can be opened again while the server is away. It never touches the API.

const CACHE_NAME = `conflicto ${new URL(location.href).searchParams.get("build")}`;
const PAGE = "~/p/"; // the shell is the same for every session
const TIMEOUT_MS = 5_000;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(removeOldCaches()));
addEventListener("message", (event) => event.waitUntil(cacheFiles(event.data)));
addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (event.request.cache === "no-store") return; // asks the server: what is kept here does not tell which build it has
  if (pathname.startsWith("~/s/")) event.respondWith(file(event.request));
  else if (event.request.mode === "navigate" && pathname.startsWith(PAGE)) event.respondWith(page(event.request));
});

// Files of another build have other addresses, so what is kept of it is of no use any more.
async function removeOldCaches() {
  for (const name of await caches.keys()) if (name.startsWith("conflicto ") && name !== CACHE_NAME) await caches.delete(name);
  await clients.claim();
}

// The first page loads before there is a worker; it says what it loaded.
async function cacheFiles({ page: address, files }) {
  const cached = await caches.open(CACHE_NAME);
  if (!(await cached.match(PAGE))) await page(new Request(address)).catch(() => {});
  for (const each of files) if (!(await cached.match(each))) await cached.add(each).catch(() => {});
}

async function file(request) {
  const cached = await caches.match(request);
  if (cached) return cached;
  const response = await fetch(request);
  if (response.ok) await (await caches.open(CACHE_NAME)).put(request, response.clone());
  return response;
}

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
