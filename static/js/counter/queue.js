// Every cash sale goes through here: written down first, sent then, in order, once. A sale leaves the phone's list only
// when the shop has answered that it has it.
//   waiting   not known to the shop, or not known whether
//   refused   the shop said no; a person decides (try again, or set aside as written on paper)
// A sale made with a line is sent as `live`: the shop may still refuse it, and the buyer is still there. Once it is handed
// over (no answer in time, no line), it is sent with the moment of the sale: then the shop keeps it in any case.
import { bought } from "./catalogue.js";
import { NoLine, post } from "./line.js";
import { all, ask, news, tell, within } from "./store.js";
import { person } from "./words.js";

const DONE = 300;

/** Write a sale down and close its basket, both or neither. The same key is written down once. */
export async function write(sale) {
  await within(["sales", "baskets", "done"], "readwrite", async ({ sales, baskets, done }) => {
    if (!await ask(done.get(sale.key)) && !await ask(sales.index("key").get(sale.key))) await ask(sales.add(sale));
    await ask(baskets.delete(sale.key));
  });
  tell();
}

const mine = (sale) => sale.state === "waiting" && sale.person.id === person.id;

let running = null, again = false;
/** Send what waits until it is all up or the line is down. One tab at a time: the others wait for their turn. */
export function flush() {
  again = true;
  running ??= (async () => {
    while (again) {
      again = false;
      await navigator.locks.request("counter-queue", drain);
    }
  })().finally(() => { running = null; });
  return running;
}

async function drain() {
  for (;;) {
    const sale = (await all("sales")).find(mine);
    if (!sale) return;
    await send(sale);
  }
}

async function send(sale) {
  const body = {
    lines: sale.lines.map(({ sku, quantity, unit_price }) => ({ sku, quantity, unit_price })),
    payment: "cash", tendered: sale.tendered,
    ...(sale.till && { till: sale.till.id }), ...(!sale.live && { sold_at: sale.sold_at }),
  };
  const answer = await post("/sales", body, { "Idempotency-Key": sale.key }, sale.slug);
  if (answer.status === 201 || answer.status === 202) await settled(sale, answer);
  else await refused(sale, answer);
  tell();
}

async function settled(sale, answer) {
  const { order, receipt_url, conflict } = answer.json;
  const kept = { ...sale, at: Date.now(), state: answer.status === 202 ? "conflict" : "done", order, receipt_url, conflict };
  await within(["sales", "done"], "readwrite", async ({ sales, done }) => {
    await ask(sales.delete(sale.seq));
    await ask(done.put(kept));
    const old = await ask(done.index("at").getAllKeys());
    for (const key of old.slice(0, Math.max(0, old.length - DONE))) done.delete(key);
  });
  if (answer.status === 201) await bought(sale.slug, sale.lines);
}

async function refused(sale, answer) {
  await within(["sales"], "readwrite", async ({ sales }) => {
    const kept = await ask(sales.get(sale.seq));
    if (!kept) return;
    // The goods have gone: the moment of the sale goes with it, and the shop keeps it for a person.
    if (kept.live && kept.handed) kept.live = false;
    else Object.assign(kept, { state: "refused", problem: answer.json ?? {}, status: answer.status });
    await ask(sales.put(kept));
  });
}

/** What became of a sale within `patience` ms: what the shop answered, `refused` (then it is forgotten here), or `waiting`. */
export async function outcome(key, patience) {
  const until = Date.now() + patience;
  for (;;) {
    const found = await look(key, false);
    if (found.state !== "waiting") return found;
    const left = until - Date.now();
    if (left <= 0 || !navigator.onLine) return look(key, true);
    await Promise.race([
      new Promise((resolve) => { news.addEventListener("changed", resolve, { once: true }); }),
      new Promise((resolve) => { setTimeout(resolve, left); }),
      stopped(),
    ]);
    if (isDown) return look(key, true);
  }
}

let isDown = false, whenDown = [];
const stopped = () => (isDown ? Promise.resolve() : new Promise((resolve) => { whenDown.push(resolve); }));
/** Send what waits; afterwards it is known whether there is a line. */
export async function tryToSend() {
  isDown = false;
  try {
    await flush();
  } catch (error) {
    isDown = true;
    for (const resolve of whenDown.splice(0)) resolve();
    tell();
    if (!(error instanceof NoLine) && error.name !== "Error") console.error(error);
  }
}

/** One look; `handOver`: nobody waits any longer, the buyer goes with the goods. */
async function look(key, handOver) {
  return within(["sales", "done"], "readwrite", async ({ sales, done }) => {
    const sale = await ask(sales.index("key").get(key));
    if (!sale) return await ask(done.get(key)) ?? { state: "waiting" };
    if (sale.state === "refused" && sale.live) await ask(sales.delete(sale.seq));
    else if (handOver && sale.live) await ask(sales.put({ ...sale, handed: true }));
    return sale;
  });
}

/** Everything of this phone that the shop does not have yet. */
export async function waiting() {
  const sales = await all("sales");
  return { sales, count: sales.length, sum: sales.reduce((sum, sale) => sum + sale.total, 0) };
}

/** A person has decided about a refused sale: send it again, or keep it among the done as written on paper. */
export async function sendAgain(seq) {
  await within(["sales"], "readwrite", async ({ sales }) => {
    const sale = await ask(sales.get(seq));
    if (sale) await ask(sales.put({ ...sale, state: "waiting", live: false, problem: null }));
  });
  tell();
}

export async function setAside(seq) {
  await within(["sales", "done"], "readwrite", async ({ sales, done }) => {
    const sale = await ask(sales.get(seq));
    if (!sale) return;
    await ask(done.put({ ...sale, at: Date.now(), state: "aside" }));
    await ask(sales.delete(seq));
  });
  tell();
}
