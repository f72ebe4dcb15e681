// What the buyer gets: a code or link to the receipt, or paper of 58 mm; without a line with the phone's own number.
import { fair } from "./catalogue.js";
import { all, news } from "./store.js";
import { base, copyOf, dayAndTime, digits, person, rupiah, say } from "./words.js";

const part = (id) => document.getElementById(id);
const dialog = part("receipt");
let shown = null;

const linkOf = (sale) => sale.receipt_url ?? (sale.order && `/orders/${sale.order.number}?token=${sale.order.token}`);

function picture(sale) {
  const made = new Image(180, 180);
  made.alt = say("receipt_qr");
  made.src = `${base}/qr/${sale.order.number}-receipt.svg`;
  made.addEventListener("error", () => made.remove(), { once: true });
  return made;
}

/** Show the receipt of a sale: one that the shop has, or one that waits. */
export function receipt(sale) {
  shown = sale;
  const isKnown = Boolean(sale.order);
  part("receipt-title").querySelector("span").textContent = say("sold");
  const isCash = sale.payment === "cash";
  part("receipt-change-word").textContent = isCash ? say("back") : say("total");
  part("receipt-change").textContent = rupiah(isCash ? sale.change : sale.total);
  const number = isKnown ? say("sold_number", { number: sale.order.number })
    : say(sale.state === "conflict" ? "sold_conflict" : "sold_later", { number: sale.number });
  part("receipt-said").textContent = [number, isCash ? say("received", { sum: rupiah(sale.tendered) }) : "", isKnown ? say("scan_receipt") : ""].filter(Boolean).join(" ");
  part("receipt-qr").hidden = !isKnown;
  part("receipt-qr").replaceChildren(...(isKnown ? [picture(sale)] : []));
  part("receipt-link").hidden = !isKnown;
  if (isKnown) part("receipt-link").href = linkOf(sale);
  drawSlip(sale);
  if (!dialog.open) dialog.showModal();
  part("next").focus();
}

function drawSlip(sale) {
  const slip = copyOf("slip-of", {
    ".slip__fair": fair()?.name ?? "", ".slip__number": sale.order?.number ?? sale.number, ".slip__at": dayAndTime(sale.sold_at),
    ".slip__said": [sale.order ? "" : say("later_slip"), say("cashier", { name: sale.person?.name ?? person.name })].filter(Boolean).join(" "),
  });
  const row = (...cells) => {
    const made = document.createElement("tr");
    for (const cell of cells) made.insertCell().textContent = cell;
    return made;
  };
  const facilities = new Map();
  for (const one of sale.lines) facilities.set(one.facility, [...(facilities.get(one.facility) ?? []), one]);
  for (const [facility, lines] of facilities) {
    const sum = lines.reduce((all, one) => all + one.quantity * one.unit_price, 0);
    const head = row(facility, facilities.size > 1 ? digits(sum) : "");
    head.className = "slip__of";
    slip.querySelector("tbody").append(head, ...lines.map((one) => row(`${one.quantity} × ${one.title}`, digits(one.quantity * one.unit_price))));
  }
  slip.querySelector("tfoot").append(row(say("total"), rupiah(sale.total)));
  if (sale.payment === "cash") slip.querySelector("tfoot").append(row(say("cash"), digits(sale.tendered)), row(say("back"), digits(sale.change)));
  if (sale.order) slip.querySelector(".slip__qr").append(picture(sale));
  part("slip").replaceChildren(slip);
}

export function begin(focus) {
  part("next").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { shown = null; focus(); });
  part("receipt-print").addEventListener("click", () => print());
  // The line came back while the buyer still stands here: the shop's own number takes the place of the phone's.
  news.addEventListener("changed", async () => {
    if (!dialog.open || !shown || shown.order) return;
    const known = (await all("done")).find((one) => one.key === shown?.key);
    if (known && dialog.open) receipt(known);
  });
}
