// The last order that was opened here, to be read without a network: a copy of its page without the recipient's name,
// address and number, in a cache of this browser alone. Also on the page that says that there is no network.
const NAME = "shop-order-1";
const WISH = "keep-order";

const when = (moment) => new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" }).format(moment);

async function forget() {
  await caches.delete(NAME);
}

/** A copy of this page without what is private, what acts, and what only makes sense now. */
function copyOf(mark) {
  const copy = document.documentElement.cloneNode(true);
  for (const part of copy.querySelectorAll("script, noscript, form, dialog, .pay, .toasts, .me, [data-private], [data-saved], [data-now], link[rel=manifest], meta[http-equiv]")) part.remove();
  const note = mark.content.firstElementChild.cloneNode(true);
  note.querySelector("time").textContent = when(Date.now());
  copy.querySelector("main > div:last-of-type").prepend(note);
  return "<!doctype html>" + copy.outerHTML;
}

async function save(mark) {
  await forget();
  const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'";
  const headers = { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, "X-Kept-At": String(Date.now()) };
  await (await caches.open(NAME)).put(location.origin + location.pathname, new Response(copyOf(mark), { headers }));
}

/** On the order's page: kept and said so, until one presses. */
async function onOrder(box) {
  const [kept, not] = box.querySelectorAll("p");
  const show = () => {
    const wants = localStorage.getItem(WISH) !== "no";
    box.hidden = false;
    kept.hidden = !wants;
    not.hidden = wants;
    return wants;
  };
  const mark = document.getElementById("saved-mark");
  kept.querySelector("button").addEventListener("click", async () => {
    localStorage.setItem(WISH, "no");
    await forget();
    show();
  });
  not.querySelector("button").addEventListener("click", async () => {
    localStorage.removeItem(WISH);
    await save(mark);
    show();
  });
  if ("erased" in box.dataset) await forget();
  else if (show()) await save(mark);
}

/** Without a network: which order and which pages can be read. */
async function onOffline(box) {
  const [order] = await (await caches.open(NAME)).keys();
  const kept = order && await caches.match(order);
  const at = Number(kept?.headers.get("X-Kept-At") ?? 0);
  if (kept && Date.now() - at > 30 * 24 * 3600 * 1000) await forget();
  else if (kept) {
    const part = box.querySelector("[data-order]");
    const link = part.querySelector("a");
    link.href = new URL(order.url).pathname;
    link.textContent = link.pathname.split("/").pop();
    part.querySelector("time").textContent = when(at);
    part.querySelector("button").addEventListener("click", async () => { await forget(); part.hidden = true; });
    part.hidden = false;
    // An order that this browser may no longer see is not kept either.
    const now = await fetch(link.href, { redirect: "manual" }).catch(() => null);
    if (now?.status === 404) { await forget(); part.hidden = true; }
  }
  const list = box.querySelector("[data-pages]");
  const pages = await caches.open("shop-pages-1");
  for (const request of (await pages.keys()).reverse().slice(0, 12)) {
    const url = new URL(request.url);
    if (/\/offline$/.test(url.pathname) || url.pathname.startsWith("/en") !== location.pathname.startsWith("/en")) continue;
    const html = await (await pages.match(request)).text();
    const link = document.createElement("a");
    link.href = url.pathname + url.search;
    link.textContent = new DOMParser().parseFromString(html, "text/html").title.split(" · ").slice(0, -1).join(" · ") || url.pathname;
    const item = document.createElement("li");
    item.append(link);
    list.querySelector("ul").append(item);
    list.hidden = false;
  }
}

if ("caches" in window) {
  const order = document.querySelector("[data-saved]");
  const offline = document.querySelector("[data-offline]");
  if (order) onOrder(order);
  if (offline) onOffline(offline);
}
