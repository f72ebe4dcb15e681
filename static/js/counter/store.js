// What the phone keeps of the counter, in IndexedDB: it outlives reload, restart and the end of the battery.
//   sales    what is not yet known to the shop, in the order in which it was sold (seq)
//   done     what the shop has answered, for receipts (key)
//   baskets  what is being gathered (id), the open one of each tab and those put aside
//   kept     the catalogue, the till, who is selling
const NAME = "counter";

export const ask = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

let opened;
function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      const db = request.result;
      db.createObjectStore("sales", { keyPath: "seq", autoIncrement: true }).createIndex("key", "key", { unique: true });
      db.createObjectStore("done", { keyPath: "key" }).createIndex("at", "at");
      db.createObjectStore("baskets", { keyPath: "id" });
      db.createObjectStore("kept");
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** Read or write several stores as one: `act` gets them by name; all of it is kept, or nothing. */
export async function within(names, mode, act) {
  const db = await open();
  // `strict`: it lies on the disk before a receipt is shown.
  const transaction = db.transaction(names, mode, { durability: mode === "readwrite" ? "strict" : "default" });
  const whole = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new DOMException("", "AbortError"));
  });
  const found = await act(Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)])));
  await whole;
  return found;
}

export const all = (name) => within([name], "readonly", (stores) => ask(stores[name].getAll()));
export const recall = (key) => within(["kept"], "readonly", ({ kept }) => ask(kept.get(key)));
export const keep = (key, value) => within(["kept"], "readwrite", ({ kept }) => ask(kept.put(value, key)));

/** Other tabs hear what this one has changed; `news` tells of both. */
export const news = new EventTarget();
const channel = new BroadcastChannel("counter");
channel.onmessage = () => news.dispatchEvent(new Event("changed"));
export function tell() {
  news.dispatchEvent(new Event("changed"));
  channel.postMessage("changed");
}
