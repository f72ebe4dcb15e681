// Whoever signs out, or counts and closes a till, while sales or open baskets are still in this phone is told which.
// All of them stay: sales go up when the same person signs in again, and after a closing to that session's late list.
import { all } from "./store.js";

const say = (name, values) => document.querySelector(`meta[name=counter-${name}]`).content.replace(/\{(\w+)\}/g, (_, key) => values[key]);
const time = (moment) => new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }).format(moment);
let waiting = 0, open = [];

async function look() {
  waiting = (await all("sales")).length;
  open = (await all("baskets")).filter((basket) => basket.lines.length).map((basket) => say("basket", {
    time: time(basket.changed_at), count: basket.lines.reduce((pieces, line) => pieces + line.quantity, 0),
  }));
}

document.addEventListener("submit", (event) => {
  const isClosing = event.target.matches("[data-counter-close]");
  if (!isClosing && !event.target.action.endsWith("/logout")) return;
  const what = [...(waiting ? [say("unsent", { count: waiting })] : []), ...open].join(", ");
  if (isClosing ? what && !confirm(say("closing", { what })) : waiting && !confirm(say("leaving", { count: waiting }))) event.preventDefault();
  else if (!isClosing) window.caches?.delete("counter-pages-1"); // nobody sells under this name without a line
});
// Asked before the button can be pressed: a submit waits for nobody.
document.addEventListener("pointerdown", look, true);
document.addEventListener("keydown", look, true);
look();
