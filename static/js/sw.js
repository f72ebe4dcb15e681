// The shop's service worker. Served at /sw.js with its lists filled in (storefront/blueprints/shop/app.py).
// Keeps: static files for ever (their names change with their content), public pages for when there is no network, and
// the copy of an order that its page made itself. Never: cart, checkout, payment, account, anything of the staff's.
const CACHES = { files: "shop-files-1", pages: "shop-pages-1", order: "shop-order-1" };
const MOST = { files: 120, pages: 30 };
const LONGEST = 7 * 24 * 3600 * 1000;
const FILES = /*FILES*/[];
const OFFLINE = /*OFFLINE*/["/offline", "/en/offline"];
const OTHERS = /*OTHERS*/[];

const isOthers = (path) => OTHERS.some((face) => path === face || path.startsWith(face + "/"));
const plain = (path) => path.replace(/^\/en(?=\/|$)/, "") || "/";

addEventListener("install", (event) => {
  skipWaiting();
  // Where the browser can, it does not even start this worker for other faces.
  event.addRoutes?.(OTHERS.flatMap((face) => ["", "/en"].map((root) => ({
    condition: { urlPattern: root + face + "/*" }, source: "network",
  })))).catch(() => {});
  event.waitUntil(prepare());
});

async function prepare() {
  const files = await caches.open(CACHES.files);
  const kept = new Set((await files.keys()).map((request) => new URL(request.url).pathname));
  await files.addAll(FILES.filter((file) => !kept.has(file)));
  const pages = await caches.open(CACHES.pages);
  await pages.addAll(OFFLINE.map((page) => new Request(page, { cache: "reload" })));
}

addEventListener("activate", (event) => event.waitUntil(begin()));

async function begin() {
  const known = Object.values(CACHES);
  const old = (await caches.keys()).filter((name) => name.startsWith("shop-") && !known.includes(name));
  await Promise.all(old.map((name) => caches.delete(name)));
  await clients.claim();
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || isOthers(plain(url.pathname))) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (request.mode === "navigate") event.respondWith(page(event, url));
});

/** A static file: the one that is kept, else from the network, and then kept. */
async function file(request) {
  const files = await caches.open(CACHES.files);
  const kept = await files.match(request, { ignoreVary: true });
  if (kept) return kept;
  const fresh = await fetch(request);
  if (fresh.ok) await put(files, request, fresh.clone(), MOST.files);
  return fresh;
}

/** A page: always from the network while there is one; else the copy, else the page that says so. */
async function page(event, url) {
  try {
    const fresh = await fetch(event.request);
    if (isPublic(fresh)) event.waitUntil(keep(url, fresh.clone()));
    return fresh;
  } catch (error) {
    return await copy(url) ?? await copy(new URL(OFFLINE[url.pathname === plain(url.pathname) ? 0 : 1], url)) ?? Response.error();
  }
}

/** Public is what the server calls so: pages that touch neither session nor cookie. */
function isPublic(response) {
  return response.ok && !response.redirected && response.type === "basic"
    && /\bpublic\b/.test(response.headers.get("Cache-Control") ?? "")
    && /^text\/html/.test(response.headers.get("Content-Type") ?? "");
}

async function keep(url, response) {
  const headers = new Headers(response.headers);
  headers.set("X-Kept-At", String(Date.now()));
  for (const gone of ["Content-Encoding", "Content-Length"]) headers.delete(gone);  // the body is plain by now
  const body = await response.blob();
  await put(await caches.open(CACHES.pages), url.href, new Response(body, { status: 200, headers }), MOST.pages);
}

async function copy(url) {
  const order = await (await caches.open(CACHES.order)).match(url.origin + url.pathname);
  if (order) return order;
  const kept = await (await caches.open(CACHES.pages)).match(url.href, { ignoreVary: true });
  const at = Number(kept?.headers.get("X-Kept-At") ?? Date.now());
  return kept && Date.now() - at < LONGEST ? kept : undefined;
}

/** Put anew, so that the oldest are those not asked for longest; and let go of what is too much. */
async function put(cache, key, response, most) {
  await cache.delete(key);
  await cache.put(key, response);
  const spare = (await cache.keys()).filter((request) => !OFFLINE.includes(new URL(request.url).pathname));
  await Promise.all(spare.slice(0, Math.max(0, spare.length - most)).map((request) => cache.delete(request)));
}

// A line for who works for a facility (storefront/mail/push.py); a press opens its page.
addEventListener("push", (event) => {
  const { title, body, page, tag } = event.data?.json() ?? {};
  const icon = FILES.find((file) => file.includes("/mark"));
  if (title) event.waitUntil(registration.showNotification(title, { body, tag, icon, data: page }));
});
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow(event.notification.data || "/"));
});
