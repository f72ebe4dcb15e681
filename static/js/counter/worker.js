// The counter's service worker, served at /counter/sw.js with its list filled in (blueprints/counter/worker.py).
// Keeps the page that sells, its files and its pictures. What is sold and what is on sale the page keeps itself.
const CACHES = { files: "counter-files-1", pages: "counter-pages-1", pictures: "counter-pictures-1" };
const MOST = { files: 150, pictures: 600 };
/** How long bad Wi-Fi may take before the copy is shown. */
const PATIENCE = 4000;
const FILES = /*FILES*/[];
const COUNTER = /^(\/en)?\/counter\/[^/.]+\/?$/;
const BELOW = /^((?:\/en)?\/counter\/[^/.]+)\/./;

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(prepare());
});

async function prepare() {
  const files = await caches.open(CACHES.files);
  const kept = new Set((await files.keys()).map((request) => new URL(request.url).pathname));
  await files.addAll(FILES.filter((file) => !kept.has(file)));
}

addEventListener("activate", (event) => event.waitUntil(begin()));

async function begin() {
  const known = Object.values(CACHES);
  const old = (await caches.keys()).filter((name) => name.startsWith("counter-") && !known.includes(name));
  await Promise.all(old.map((name) => caches.delete(name)));
  await clients.claim();
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(once(CACHES.files, request, MOST.files));
  else if (url.pathname.startsWith("/media/")) event.respondWith(once(CACHES.pictures, request, MOST.pictures));
  else if (request.mode === "navigate" && COUNTER.test(url.pathname)) event.respondWith(counter(event, url));
  else if (request.mode === "navigate" && BELOW.test(url.pathname)) event.respondWith(below(request, url));
});

/** What never changes under its name: the kept one, else from the network, and then kept. */
async function once(name, request, most) {
  const cache = await caches.open(name);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const fresh = await fetch(request);
  if (fresh.ok) {
    await cache.put(request, fresh.clone());
    const keys = await cache.keys();
    await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((key) => cache.delete(key)));
  }
  return fresh;
}

/** The page that sells: from the network if it answers soon and well, else the copy. */
async function counter(event, url) {
  const pages = await caches.open(CACHES.pages);
  const key = url.origin + url.pathname;
  const kept = await pages.match(key, { ignoreVary: true });
  const asked = fetch(event.request).then(async (fresh) => {
    if (fresh.ok && !fresh.redirected) await pages.put(key, fresh.clone());
    return fresh.status >= 500 && kept ? kept : fresh;
  });
  if (!kept) return asked;
  event.waitUntil(asked.catch(() => {}));
  const late = new Promise((resolve) => { setTimeout(resolve, PATIENCE, kept); });
  return Promise.race([asked.catch(() => kept), late]);
}

/** Tills, receipts and the rest need a line: without one, back to the page that sells, which says so. */
async function below(request, url) {
  try {
    return await fetch(request);
  } catch {
    return Response.redirect(BELOW.exec(url.pathname)[1] + "#offline");
  }
}
