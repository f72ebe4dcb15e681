// A payment at the gateway: its page as a code for the buyer's phone, watched until the provider has said something.
import { receipt } from "./receipt.js";
import { all, ask, tell, within } from "./store.js";
import { base, root, rupiah, say } from "./words.js";

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
  if (!dialog.open) dialog.showModal();
}

/** Ask about each payment that is waited for. */
export async function lookAtPayments() {
  for (const sale of (await all("done")).filter((one) => one.state === "unpaid")) {
    const address = root.dataset.order.replace("/-", `/${sale.order.number}`) + `?token=${encodeURIComponent(sale.order.token)}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(5000) }).catch(() => null);
    const status = answer?.ok ? (await answer.json().catch(() => ({}))).status : null;
    const state = PAID.includes(status) ? "paid" : ["expired", "cancelled"].includes(status) ? "ended" : null;
    if (!state) continue;
    const kept = { ...sale, state };
    await within(["done"], "readwrite", ({ done }) => ask(done.put(kept)));
    tell();
    if (shown !== sale.key || !dialog.open) continue;
    if (state === "paid") {
      dialog.close();
      receipt(kept);
    } else part("code-said").textContent = say("code_ended");
  }
}

export const isWatching = () => dialog.open;
