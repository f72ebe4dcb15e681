// What is being gathered for a buyer. Each basket has the key that its sale will have, so that the same basket cannot be
// sold twice, whatever happens in between. Each tab holds one; those put aside wait for whoever opens them.
import { all, ask, tell, within } from "./store.js";
import { slug } from "./words.js";

export const fresh = () => ({ id: crypto.randomUUID(), slug, lines: [], changed_at: Date.now() });
export let basket = fresh();
let letGo = () => {};

/** This tab alone works on a basket; another one that shows the same page has its own. */
function claim(id) {
  return new Promise((claimed) => {
    navigator.locks.request(`counter-basket-${id}`, { ifAvailable: true }, (lock) => {
      if (!lock) return claimed(null);
      return new Promise((free) => { claimed(free); });
    });
  });
}

async function take(one) {
  const free = await claim(one.id);
  if (!free) return false;
  letGo();
  letGo = free;
  basket = one;
  sessionStorage.setItem("counter-basket", one.id);
  return true;
}

/** The tab's own basket after a reload; after a restart the one that was open last. */
export async function begin() {
  const kept = (await all("baskets")).filter((one) => one.slug === slug);
  const own = kept.find((one) => one.id === sessionStorage.getItem("counter-basket"));
  const open = kept.filter((one) => !one.parked).sort((a, b) => b.changed_at - a.changed_at);
  for (const one of own ? [own, ...open] : open) if (await take(one)) return;
  await take(fresh());
}

export const count = () => basket.lines.reduce((sum, line) => sum + line.quantity, 0);
export const quantity = (sku) => basket.lines.find((line) => line.sku === sku)?.quantity ?? 0;

/** So many of it; none takes it out. */
export async function put(sku, pieces) {
  const line = basket.lines.find((each) => each.sku === sku);
  if (line) line.quantity = Math.min(999, pieces);
  else if (pieces > 0) basket.lines.push({ sku, quantity: Math.min(999, pieces) });
  basket.lines = basket.lines.filter((each) => each.quantity > 0);
  basket.changed_at = Date.now();
  await store(basket);
}

async function store(one) {
  await within(["baskets"], "readwrite", ({ baskets }) => ask(one.lines.length ? baskets.put(one) : baskets.delete(one.id)));
  tell();
}

/** The basket was sold, or thrown away: a new one begins. */
export async function next() {
  await take(fresh());
  tell();
}

export async function throwAway() {
  basket.lines = [];
  await store(basket);
  await next();
}

/** What the shop refused comes back into a basket of its own, with another key. */
export async function bringBack(lines) {
  await take({ ...fresh(), lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) });
  await store(basket);
}

/** Put it aside for a buyer who looks for another piece; the next one is served. */
export async function park() {
  if (!basket.lines.length) return;
  await store({ ...basket, parked: true });
  await next();
}

/** Go on with one that was put aside; what is open now is put aside in its place. */
export async function reopen(id) {
  const wanted = (await all("baskets")).find((one) => one.id === id);
  const open = { ...basket, parked: true };
  if (!wanted || !await take({ ...wanted, parked: false })) return;
  if (open.lines.length) await store(open);
  await store(basket);
}

/** Those of this fair that no tab works on: put aside, or left in a tab that was closed. */
export async function parked() {
  const held = new Set((await navigator.locks.query()).held.map((lock) => lock.name));
  return (await all("baskets")).filter((one) => one.slug === slug && !held.has(`counter-basket-${one.id}`));
}
