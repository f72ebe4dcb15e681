// Taking the money: cash with the change worked out, or the gateway's page as a code for the buyer's own phone.
import * as basket from "./basket.js";
import { watchCode } from "./code.js";
import { count, priceOf } from "./catalogue.js";
import { line, now, post } from "./line.js";
import { nameOf, priced, total } from "./lines.js";
import { outcome, tryToSend, write } from "./queue.js";
import { receipt } from "./receipt.js";
import { ask, tell, within } from "./store.js";
import { copyOf, digits, person, rupiah, say, slug, typed } from "./words.js";

/** How long a buyer waits for the shop's answer before the phone keeps the sale by itself: where there was a line, and
    where there was none a moment ago. */
const PATIENCE = 4000, HARDLY = 800;
const MOST = 1_000_000_000;
const part = (id) => document.getElementById(id);
const [dialog, form, input] = ["pay", "pay-form", "tendered"].map(part);
const touch = matchMedia("(pointer: coarse)");
let till = () => null;

function complain(sentence = "") {
  part("pay-said").replaceChildren();
  input.removeAttribute("aria-invalid");
  if (!sentence) return;
  const note = copyOf("note", { p: sentence });
  note.classList.add("alert--bad");
  part("pay-said").append(note);
}

function draw() {
  const lines = priced(), sum = total(), tendered = typed(input.value);
  const facilities = new Set(lines.map(({ one }) => one.facility.code)).size;
  part("pay-count").textContent = say("count_and_facilities", { count: basket.count(), facilities });
  part("pay-total").textContent = rupiah(sum);
  const over = (tendered ?? 0) - sum;
  part("change").textContent = tendered === null ? "" : over > 0 ? say("change", { sum: rupiah(over) }) : over < 0 ? say("missing", { sum: rupiah(-over) }) : say("change_none");
  part("change").classList.toggle("counter__change--missing", tendered !== null && over < 0);
}

export function open() {
  if (!priced().length || dialog.open) return;
  input.value = "";
  complain();
  draw();
  dialog.showModal();
  // A keyboard that slides in would cover the banknotes.
  (touch.matches ? part("exact") : input).focus();
}

function busy(is) {
  for (const button of form.querySelectorAll("button")) button.disabled = is;
  form.toggleAttribute("aria-busy", is);
}

/** The next number that this phone gives: what a buyer has on paper until the shop has given its own. */
async function localNumber() {
  return within(["kept"], "readwrite", async ({ kept }) => {
    const last = await ask(kept.get("number")) ?? { phone: Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => "ABCDEFGHJKMNPQRSTVWXYZ23456789"[byte % 30]).join(""), last: 0 };
    last.last += 1;
    await ask(kept.put(last, "number"));
    return `${last.phone}-${String(last.last).padStart(3, "0")}`;
  });
}

async function taken(tendered) {
  const isUp = line.isUp;
  return {
    key: basket.basket.id, slug, till: till(), person, payment: "cash", state: "waiting",
    lines: priced().map(({ one, quantity }) => ({ sku: one.sku, quantity, unit_price: priceOf(one), title: nameOf(one), facility: one.facility.name })),
    total: total(), tendered, change: tendered === null ? null : tendered - total(), number: await localNumber(),
    sold_at: now().toISOString(), live: isUp, handed: !isUp,
  };
}

async function sell(tendered) {
  const sum = total();
  if (tendered === null || tendered < sum || tendered > MOST) {
    complain(tendered === null ? say("no_amount") : tendered < sum ? say("too_little", { sum: rupiah(sum - tendered) }) : say("too_much", { sum: rupiah(MOST) }));
    input.setAttribute("aria-invalid", "true");
    if (!touch.matches) input.focus();
    return;
  }
  busy(true);
  complain();
  try {
    const sale = await taken(tendered);
    await write(sale);
    await count();
    tryToSend();
    const found = await outcome(sale.key, sale.live ? PATIENCE : HARDLY);
    await count();
    if (found.state === "refused" && found.live) {
      await basket.bringBack(sale.lines);
      complain(found.problem?.detail ? say("refused", { why: found.problem.detail }) : say("refused_plain"));
      return;
    }
    await basket.next();
    dialog.close();
    receipt(found.state === "waiting" ? sale : found);
  } catch (error) {
    console.error(error);
    complain(say("not_kept"));
  } finally {
    busy(false);
    draw();
  }
}

async function byCode() {
  if (!line.isUp) return complain(say("code_needs_line"));
  busy(true);
  complain();
  try {
    const sale = await taken(null);
    const lines = sale.lines.map(({ sku, quantity, unit_price }) => ({ sku, quantity, unit_price }));
    const body = { lines, payment: "gateway", ...(sale.till && { till: sale.till.id }) };
    // Another key than cash for the same basket would have: they are different wishes.
    const answer = await post("/sales", body, { "Idempotency-Key": `${sale.key}-code` });
    if (answer.status !== 201) return complain(answer.json?.detail ? say("refused", { why: answer.json.detail }) : say("refused_plain"));
    const kept = { ...sale, key: `${sale.key}-code`, payment: "gateway", state: "unpaid", at: Date.now(), order: answer.json.order, pay: answer.json.payment, receipt_url: answer.json.receipt_url };
    await within(["done", "baskets"], "readwrite", async ({ done, baskets }) => {
      await ask(done.put(kept));
      await ask(baskets.delete(sale.key));
    });
    tell();
    await basket.next();
    dialog.close();
    watchCode(kept);
  } catch {
    complain(say("code_needs_line"));
  } finally {
    busy(false);
    draw();
  }
}

/** `tillNow()`: the till that is open here, or null. */
export function begin(tillNow) {
  till = tillNow;
  part("pay-open").addEventListener("click", open);
  input.addEventListener("input", () => {
    const amount = typed(input.value);
    input.value = amount === null ? "" : digits(amount);
    complain();
    draw();
  });
  form.addEventListener("click", (event) => {
    const note = event.target.closest("[data-note]")?.dataset.note;
    if (!note) return;
    input.value = digits((typed(input.value) ?? 0) + Number(note));
    complain();
    draw();
  });
  part("tendered-clear").addEventListener("click", () => { input.value = ""; complain(); draw(); });
  part("exact").addEventListener("click", () => sell(total()));
  part("by-code").addEventListener("click", byCode);
  form.addEventListener("submit", (event) => { event.preventDefault(); sell(typed(input.value)); });
}
