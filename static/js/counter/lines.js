// The basket as it is shown: lines with quantities, what was put aside, and the bar with the sum.
import * as basket from "./basket.js";
import { item, left, priceOf, title, variant } from "./catalogue.js";
import { clockTime, copyOf, rupiah, say } from "./words.js";

const part = (id) => document.getElementById(id);
const list = part("lines");

/** The basket's lines with what they cost now; what is no longer at the stand at all is left out. */
export const priced = () => basket.basket.lines.map((line) => ({ ...line, one: item(line.sku) })).filter((line) => line.one);
export const total = () => priced().reduce((sum, { one, quantity }) => sum + priceOf(one) * quantity, 0);
export const nameOf = (one) => [title(one), variant(one)].filter(Boolean).join(" · ");

function lineOf(sku) {
  const one = item(sku), name = nameOf(one);
  const made = copyOf("line-of", { ".lines__title": name, ".lines__from": one.facility.name });
  made.dataset.sku = sku;
  for (const [selector, word] of [["[data-less]", "less"], ["[data-more]", "more"], ["input", "many"]]) made.querySelector(selector).setAttribute("aria-label", say(word, { title: name }));
  made.querySelector("[data-less]").addEventListener("click", () => basket.put(sku, basket.quantity(sku) - 1));
  made.querySelector("[data-more]").addEventListener("click", () => basket.put(sku, basket.quantity(sku) + 1));
  made.querySelector("input").addEventListener("change", (event) => basket.put(sku, Math.max(0, Number(event.target.value.replace(/\D/g, "")) || 0)));
  return made;
}

export function draw() {
  const lines = priced();
  const there = new Map([...list.children].map((each) => [each.dataset.sku, each]));
  const wanted = lines.map(({ sku }) => there.get(sku) ?? lineOf(sku));
  for (const gone of [...list.children]) if (!wanted.includes(gone)) gone.remove();
  wanted.forEach((each, at) => { if (list.children[at] !== each) list.insertBefore(each, list.children[at] ?? null); });
  lines.forEach(({ one, quantity }, at) => {
    const line = wanted[at], input = line.querySelector("input");
    if (document.activeElement !== input) input.value = quantity;
    line.querySelector(".price").textContent = rupiah(priceOf(one) * quantity);
    const few = line.querySelector(".lines__few");
    few.hidden = quantity <= left(one);
    few.textContent = say("few", { count: Math.max(0, left(one)) });
  });
  part("basket-none").hidden = lines.length > 0;
  part("basket-acts").hidden = !lines.length;
  part("bar-count").textContent = say("pieces", { count: basket.count() });
  part("bar-sum").textContent = rupiah(total());
  part("pay-open").disabled = !lines.length;
}

export async function drawParked() {
  const found = (await basket.parked()).sort((a, b) => a.changed_at - b.changed_at);
  part("parked").hidden = !found.length;
  part("parked").querySelector("ul").replaceChildren(...found.map((one) => {
    const count = one.lines.reduce((sum, line) => sum + line.quantity, 0);
    const sum = one.lines.reduce((all, line) => all + (item(line.sku) ? priceOf(item(line.sku)) : 0) * line.quantity, 0);
    const made = copyOf("parked-one", { span: rupiah(sum), small: say("parked", { count, time: clockTime(one.changed_at) }) });
    made.firstElementChild.addEventListener("click", () => basket.reopen(one.id));
    return made;
  }));
}

export function begin() {
  part("park").addEventListener("click", basket.park);
  part("clear").addEventListener("click", () => { if (confirm(say("clear"))) basket.throwAway(); });
}
