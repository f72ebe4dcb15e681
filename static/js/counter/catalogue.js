// What the stand has on sale, kept in the phone. What was sold here and is not known to the shop yet is already gone.
import { get, now } from "./line.js";
import { all, ask, keep, recall, tell, within } from "./store.js";
import { isEnglish, slug } from "./words.js";

const key = `catalogue:${slug}`;
let kept = null;
let bySku = new Map(), byCode = new Map();
let gone = new Map();
/** Read by hand or aloud, I and L are 1, and O is 0 (storefront/catalogue/short_codes.py). */
const tidy = (code) => code.toUpperCase().replace(/[IL]/g, "1").replace(/O/g, "0").replace(/[-\s]/g, "");

export const title = (item) => (isEnglish ? item.title_en : item.title);
export const variant = (item) => (isEnglish ? item.variant_en : item.variant);
export const items = () => kept?.body.items ?? [];
export const fair = () => kept?.body.exhibition;
export const asOf = () => kept?.body.as_of;
export const item = (sku) => bySku.get(sku);
/** Pieces left at the stand as far as this phone knows. */
export const left = (one) => one.available - (gone.get(one.sku) ?? 0);
/** The fair's day, in the zone in which days are counted. */
export const today = () => new Intl.DateTimeFormat("sv", { timeZone: "Asia/Jakarta" }).format(now());
/** What a piece costs today: special prices of days to come are known without a line too. */
export function priceOf(one) {
  return special(one)?.price ?? one.ordinary;
}
/** The last day of today's special price, or undefined. */
export const specialUntil = (one) => special(one)?.to;
function special(one) {
  const day = today();
  if (one.until && day <= one.until) return { price: one.price, to: one.until };
  return one.coming.find((each) => each.from <= day && day <= each.to);
}

function use(found) {
  kept = found;
  bySku = new Map(items().map((one) => [one.sku, one]));
  byCode = new Map(items().map((one) => [one.code, one]));
}

/** What a label, a scanner or a person means: an SKU, a short code, or the address in a QR code. */
export function find(text) {
  const said = text.trim();
  const code = /\/p\/([0-9A-Za-z-]+)/.exec(said)?.[1] ?? said;
  return bySku.get(said.toUpperCase()) ?? byCode.get(tidy(code));
}

/** What has all of the words, in title, SKU or facility. */
export function search(text, facility) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return items().filter((one) => (!facility || one.facility.code === facility)
    && words.every((word) => `${one.title} ${one.title_en} ${one.variant} ${one.sku} ${one.facility.name}`.toLowerCase().includes(word)));
}

/** Count anew what was sold in this phone and waits. */
export async function count() {
  gone = new Map();
  for (const sale of await all("sales")) {
    if (sale.slug === slug) for (const { sku, quantity } of sale.lines) gone.set(sku, (gone.get(sku) ?? 0) + quantity);
  }
}

/** What the phone kept; then it can sell. */
export async function begin() {
  const found = await recall(key);
  if (found) use(found);
  await count();
  return Boolean(found);
}

/** Ask the shop; true when something changed. Throws NoLine or SignIn. */
export async function refresh() {
  const answer = await get("/catalogue.json", kept?.etag ? { "If-None-Match": kept.etag } : {});
  if (answer.status !== 200) return false;
  use({ etag: answer.headers.get("ETag"), body: answer.json });
  await keep(key, kept);
  tell();
  return true;
}

/** The shop has these: they are fewer until it is asked again. */
export async function bought(of, lines) {
  await within(["kept"], "readwrite", async (stores) => {
    const found = await ask(stores.kept.get(`catalogue:${of}`));
    if (!found) return;
    for (const { sku, quantity } of lines) {
      const one = found.body.items.find((each) => each.sku === sku);
      if (one) one.available -= quantity;
    }
    found.etag = null;
    await ask(stores.kept.put(found, `catalogue:${of}`));
    if (of === slug) use(found);
  });
}

/** The pictures come into the phone one after the other, when nothing else is to be done. */
export async function keepPictures() {
  if (!window.caches) return;
  const pictures = await caches.open("counter-pictures-1");
  const there = new Set((await pictures.keys()).map((request) => new URL(request.url).pathname));
  for (const { picture } of items()) {
    if (!picture || there.has(picture)) continue;
    there.add(picture);
    try { await pictures.add(picture); } catch { return; } // no line, or no room: the tile shows its name
  }
}
