// Whoever signs out while sales wait in this phone is told so. They stay, and go up when the same person signs in again.
import { all } from "./store.js";

const words = document.querySelector("meta[name=counter-leaving]").content;
let waiting = 0;
const count = async () => { waiting = (await all("sales")).length; };

document.addEventListener("submit", (event) => {
  if (!event.target.action.endsWith("/logout")) return;
  if (waiting && !confirm(words.replace("{count}", waiting))) event.preventDefault();
  else window.caches?.delete("counter-pages-1"); // nobody sells under this name without a line
});
// Asked before the button can be pressed: a submit waits for nobody.
document.addEventListener("pointerdown", count, true);
document.addEventListener("keydown", count, true);
count();
