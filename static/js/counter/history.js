// Sales of this phone: what waits, what the shop refused and a person must decide, and the last ones with their receipts.
import { watchCode } from "./code.js";
import { sendAgain, setAside, tryToSend, waiting } from "./queue.js";
import { receipt } from "./receipt.js";
import { all } from "./store.js";
import { clockTime, copyOf, person, rupiah, say } from "./words.js";

const part = (id) => document.getElementById(id);
const dialog = part("history");
const SHOWN = 30;
const what = (sale) => sale.lines.map((line) => `${line.quantity} × ${line.title}`).join(", ");

function stateOf(sale) {
  if (sale.state === "waiting") return sale.person.id === person.id ? say("state_waiting") : say("state_other", { name: sale.person.name });
  if (sale.state === "refused") return say("state_refused", { why: sale.problem?.detail ?? sale.status });
  return say(`state_${sale.state}`);
}

function button(word, act) {
  const made = copyOf("small-button");
  made.textContent = say(word);
  made.addEventListener("click", act);
  return made;
}

function rowOf(sale) {
  const made = copyOf("sale", {
    ".code": sale.order?.number ?? sale.number, ".price": rupiah(sale.total),
    ".sales__what": `${clockTime(sale.sold_at)} · ${what(sale)}`, ".sales__state": stateOf(sale),
  });
  made.dataset.state = sale.state;
  const acts = made.querySelector(".row");
  if (sale.state === "refused") {
    acts.append(button("again", async () => { await sendAgain(sale.seq); tryToSend(); }),
      button("aside", () => { if (confirm(say("aside_sure", { what: `${what(sale)}; ${rupiah(sale.total)}` }))) setAside(sale.seq); }));
  } else if (sale.state === "unpaid") acts.append(button("show_code", () => { dialog.close(); watchCode(sale); }));
  else if (!["aside", "ended", "cancelled"].includes(sale.state)) acts.append(button("receipt", () => { dialog.close(); receipt(sale); }));
  return made;
}

export async function draw() {
  const { sales, count, sum } = await waiting();
  const done = (await all("done")).sort((a, b) => b.at - a.at).slice(0, SHOWN);
  part("history-open").hidden = false;
  part("history-open").querySelector("span").textContent = count ? say("waits", { count, sum: rupiah(sum) }) : say("receipt");
  part("history-open").classList.toggle("counter__waits", count > 0);
  part("history-waiting").hidden = !count;
  part("history-waiting-title").textContent = say("waiting_title", { count, sum: rupiah(sum) });
  part("history-done").hidden = !done.length;
  part("history-none").hidden = Boolean(count || done.length);
  if (!dialog.open) return;
  part("history-waiting").querySelector("ul").replaceChildren(...sales.map(rowOf));
  part("history-done").querySelector("ul").replaceChildren(...done.map(rowOf));
}

export async function open() {
  dialog.showModal();
  await draw();
}

export function begin() {
  part("history-open").addEventListener("click", open);
  part("send-now").addEventListener("click", tryToSend);
}
