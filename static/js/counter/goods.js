// The stand's pieces, found by typing, scanning or tapping.
import * as basket from "./basket.js";
import { asOf, find, item, items, left, priceOf, search, specialUntil, title, variant } from "./catalogue.js";
import { clockTime, copyOf, dayName, rupiah, say } from "./words.js";

const part = (id) => document.getElementById(id);
const [list, text, facility, said] = ["pieces", "find-text", "facility", "find-said"].map(part);
const drawn = new Map();

export function tellFound(words = "") {
  said.hidden = !words;
  said.textContent = words;
}

/** Put one more of it into the basket. */
export async function add(one) {
  tellFound();
  await basket.put(one.sku, basket.quantity(one.sku) + 1);
  navigator.vibrate?.(30);
}

/** What was typed or scanned, once it is whole: true when a piece was meant. */
export async function enter(words) {
  const found = find(words) ?? (search(words, facility.value).length === 1 ? search(words, facility.value)[0] : null);
  if (found) {
    await add(found);
    return found;
  }
  const several = search(words, facility.value).length;
  tellFound(several ? say("several", { count: several }) : say("unknown", { text: words.slice(0, 40) }));
  return null;
}

function tileOf(one) {
  const made = copyOf("piece", { ".piece__title": title(one), ".piece__variant": variant(one) });
  const picture = made.querySelector("img");
  if (one.picture) {
    picture.src = one.picture;
    picture.addEventListener("error", () => picture.remove(), { once: true });
    if (one.tint) made.querySelector(".photo").classList.add("photo--cut", one.tint);
  } else picture.remove();
  if (!one.picture) made.querySelector(".photo").classList.add("photo--none");
  made.querySelector("button").dataset.sku = one.sku;
  return made;
}

/** Show what matches; a tile that is there already stays the same element, so that the focus stays too. */
export function draw() {
  const shown = search(find(text.value) ? "" : text.value, facility.value);
  const wanted = shown.map((one) => {
    const key = `${one.sku} ${title(one)} ${variant(one)} ${one.picture}`;
    if (!drawn.has(key)) drawn.set(key, tileOf(one));
    const tile = drawn.get(key);
    const there = left(one), inside = basket.quantity(one.sku);
    tile.querySelector(".price").textContent = rupiah(priceOf(one));
    tile.querySelector(".piece__left").textContent = there > 0 ? say("left", { count: there }) : say("gone");
    const until = specialUntil(one);
    tile.querySelector(".piece__until").hidden = !until;
    tile.querySelector(".piece__until").textContent = until ? say("until", { day: dayName(until, "short") }) : "";
    tile.classList.toggle("piece--gone", there <= 0);
    const badge = tile.querySelector(".piece__in");
    badge.hidden = !inside;
    badge.textContent = inside ? `${inside}×` : "";
    return tile;
  });
  if (wanted.length !== list.children.length || wanted.some((tile, at) => list.children[at] !== tile)) list.replaceChildren(...wanted);
  part("pieces-none").hidden = wanted.length > 0 || !items().length;
  part("as-of").textContent = asOf() ? say("as_of", { time: clockTime(asOf()) }) : "";
}

/** Those whose pieces are here, to choose one of. */
export function drawFacilities() {
  const names = new Map(items().map((one) => [one.facility.code, one.facility.name]));
  const chosen = facility.value;
  facility.replaceChildren(facility.options[0], ...[...names].sort((a, b) => a[1].localeCompare(b[1])).map(([code, name]) => new Option(name, code)));
  facility.value = names.has(chosen) ? chosen : "";
}

export function begin(pay) {
  list.addEventListener("click", (event) => {
    const sku = event.target.closest("[data-sku]")?.dataset.sku;
    if (sku) add(item(sku));
  });
  text.addEventListener("input", () => { tellFound(); draw(); });
  facility.addEventListener("change", draw);
  part("find").addEventListener("submit", async (event) => {
    event.preventDefault();
    const words = text.value.trim();
    // Enter with nothing typed goes on to pay: a whole sale by keyboard or by a hand scanner.
    if (!words) return basket.count() ? pay() : undefined;
    if (await enter(words)) text.value = "";
    else text.select();
    draw();
  });
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "F9") { event.preventDefault(); pay(); }
    if (event.key === "/" && !event.target.closest("input, textarea, select")) { event.preventDefault(); text.focus(); }
  });
}
