// Keeps the phone's page and its files, so that a phone can be opened again while the server is away. It never touches the API.

const KEPT = `conflicto ${new URL(location.href).searchParams.get("build")}`;
const PAGE = "~/p/"; // the shell is the same for every session
const PATIENCE_MS = 5_000;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(tidy()));
addEventListener("message", (event) => event.waitUntil(keep(event.data)));
addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (event.request.cache === "no-store") return; // asks the server: what is kept here does not tell which build it has
  if (pathname.startsWith("~/s/")) event.respondWith(file(event.request));
  else if (event.request.mode === "navigate" && pathname.startsWith(PAGE)) event.respondWith(page(event.request));
});

// Files of another build have other addresses, so what is kept of it is of no use any more.
async function tidy() {
  for (const name of await caches.keys()) if (name.startsWith("conflicto ") && name !== KEPT) await caches.delete(name);
  await clients.claim();
}

// The first page loads before there is a worker; it says what it loaded.
async function keep({ page: address, files }) {
  const kept = await caches.open(KEPT);
  if (!(await kept.match(PAGE))) await page(new Request(address)).catch(() => {});
  for (const each of files) if (!(await kept.match(each))) await kept.add(each).catch(() => {});
}

async function file(request) {
  const kept = await caches.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(KEPT)).put(request, answer.clone());
  return answer;
}

async function page(request) {
  const kept = await caches.match(PAGE);
  try {
    const answer = await fetch(request, kept ? { signal: AbortSignal.timeout(PATIENCE_MS) } : {});
    if (answer.ok) await (await caches.open(KEPT)).put(PAGE, answer.clone());
    return answer;
  } catch (error) {
    if (!kept) throw error;
    return kept;
  }
}
