// A payment at the gateway: its page as a code for the buyer's phone, watched until the provider has said something.
import * as basket from "./basket.js";
import { refresh } from "./catalogue.js";
import { post } from "./line.js";
import { receipt } from "./receipt.js";
import { all, ask, tell, within } from "./store.js";
import { base, root, rupiah, say, slug } from "./words.js";

const part = (id) => document.getElementById(id);
const dialog = part("code");
const PAID = ["completed", "paid", "partly_shipped", "shipped"];
let shown = null;

/** Show the code of a sale that waits for its payment. */
export function watchCode(sale) {
  shown = sale.key;
  part("code-number").textContent = say("code_number", { number: sale.order.number });
  part("code-total").textContent = rupiah(sale.total);
  const picture = new Image(240, 240);
  picture.alt = say("code_qr");
  picture.src = `${base}/qr/${sale.order.number}-payment.svg`;
  part("code-qr").replaceChildren(...(sale.pay?.url ? [picture] : []));
  part("code-said").textContent = sale.pay?.url ? say("code_wait") : say("code_none");
  part("code-cancel").hidden = false;
  if (!dialog.open) dialog.showModal();
}

async function become(sale, state) {
  const kept = { ...sale, state };
  await within(["done"], "readwrite", ({ done }) => ask(done.put(kept)));
  tell();
  return kept;
}

/** The buyer cannot pay after all: the pieces are free again, and in the basket once more unless somebody else is served. */
async function callOff() {
  const sale = (await all("done")).find((one) => one.key === shown && one.state === "unpaid");
  if (!sale || !confirm(say("cancel_sure"))) return;
  part("code-cancel").disabled = true;
  try {
    const answer = await post(`/sales/${sale.order.number}/cancel`, {}, {}, sale.slug);
    if (answer.status !== 200) {
      part("code-said").textContent = answer.json?.detail ?? say("refused_plain");
      return await lookAtPayments(); // it was paid meanwhile: its receipt is shown
    }
    await become(sale, "cancelled");
    if (!basket.count() && sale.slug === slug) await basket.bringBack(sale.lines);
    dialog.close();
    await refresh();
  } catch {
    part("code-said").textContent = say("cancel_needs_line");
  } finally {
    part("code-cancel").disabled = false;
  }
}

/** Ask about each payment that is waited for. */
export async function lookAtPayments() {
  for (const sale of (await all("done")).filter((one) => one.state === "unpaid")) {
    const address = root.dataset.order.replace("/-", `/${sale.order.number}`) + `?token=${encodeURIComponent(sale.order.token)}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(5000) }).catch(() => null);
    const status = answer?.ok ? (await answer.json().catch(() => ({}))).status : null;
    const state = PAID.includes(status) ? "paid" : ["expired", "cancelled"].includes(status) ? "ended" : null;
    if (!state) continue;
    const kept = await become(sale, state);
    if (shown !== sale.key || !dialog.open) continue;
    if (state === "paid") {
      dialog.close();
      receipt(kept);
    } else {
      part("code-said").textContent = say("code_ended");
      part("code-cancel").hidden = true;
    }
  }
}

export const isWatching = () => dialog.open;

export function begin() {
  part("code-cancel").addEventListener("click", callOff);
}
