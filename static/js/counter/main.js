// The counter's page: brings its parts together, talks with the shop in the background, and says what a person must know.
import * as basket from "./basket.js";
import * as catalogue from "./catalogue.js";
import { begin as beginCodes, isWatching, lookAtPayments } from "./code.js";
import * as goods from "./goods.js";
import * as history from "./history.js";
import { changes, clockIsWrong, clockRead, line, NoLine, now, SignIn } from "./line.js";
import * as lines from "./lines.js";
import * as pay from "./pay.js";
import { tryToSend, waiting } from "./queue.js";
import * as receipt from "./receipt.js";
import { begin as beginScanning } from "./scan.js";
import { news } from "./store.js";
import * as till from "./till.js";
import { copyOf, dayName, person, root, say } from "./words.js";

const part = (id) => document.getElementById(id);
/** Seconds between two looks at the shop: while something waits, and otherwise. */
const SOON = 15, LATER = 45;

function note(kind, sentence, link) {
  const made = copyOf("note", { p: sentence });
  made.classList.add(`alert--${kind}`);
  const more = made.querySelector("a");
  if (link?.href || link?.act) {
    more.hidden = false;
    more.textContent = link.word;
    more.href = link.href ?? "#";
    if (link.act) more.addEventListener("click", (event) => { event.preventDefault(); link.act(); });
  }
  return made;
}

async function notes() {
  const { sales } = await waiting(), data = root.dataset, found = [], state = till.told();
  if (line.needsSignIn) found.push(note("warn", say("sign_in"), { word: say("to_sign_in"), href: data.login }));
  if (location.hash === "#offline" && !line.isUp) found.push(note("info", say("needs_line")));
  if (!catalogue.items().length) found.push(note("warn", say("no_catalogue")));
  if (state && !state.till?.session) found.push(note("warn", say("no_till"), { word: say("open_till"), act: till.open }));
  const before = till.openedBefore();
  if (before) found.push(note("warn", say("till_night", before), { word: say("till_close"), act: till.open }));
  const today = catalogue.today();
  if (today < data.starts || today > data.ends) found.push(note("info", say("not_now", { from: dayName(data.starts), to: dayName(data.ends) })));
  const refused = sales.filter((sale) => sale.state === "refused").length;
  if (refused) found.push(note("bad", say("refused_wait", { count: refused }), { word: say("decide"), act: history.open }));
  const others = sales.filter((sale) => sale.person.id !== person.id);
  if (others.length) found.push(note("warn", say("other_person", { count: others.length, name: others[0].person.name })));
  if (state?.conflicts) found.push(note("warn", say("conflicts", { count: state.conflicts }), { word: say("decide"), href: data.conflicts }));
  if (clockIsWrong()) found.push(note("info", say("clock", { minutes: Math.round(Math.abs(now() - Date.now()) / 60000) })));
  part("notes").replaceChildren(...found);
}

function drawLine() {
  part("line").className = `pill pill--${line.isUp ? "ready" : "few"}`;
  part("line").firstElementChild.textContent = say(line.isUp ? "online" : "offline");
}

let drawing = false;
/** Show everything as it is now; several wishes in one frame are one. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(async () => {
    drawing = false;
    await catalogue.count();
    drawLine();
    goods.draw();
    lines.draw();
    await Promise.all([lines.drawParked(), history.draw(), notes()]);
  });
}

let last = 0, looking = false;
/** Ask the shop how the till stands and what is on sale, and send what waits. */
async function look() {
  if (looking) return;
  looking = true;
  last = Date.now();
  try {
    await till.refresh();
    const { count } = await waiting();
    await tryToSend();
    if (count) await till.refresh(); // what was sent may wait for a decision now
    if (await catalogue.refresh()) goods.drawFacilities();
    catalogue.keepPictures();
  } catch (error) {
    if (!(error instanceof NoLine || error instanceof SignIn)) throw error;
  } finally {
    looking = false;
    draw();
  }
}

let beats = 0;
async function beat() {
  if (document.hidden) return;
  beats += 1;
  if (isWatching() || beats % 5 === 0) await lookAtPayments();
  const wait = (await waiting()).count || !line.isUp ? SOON : LATER;
  if (Date.now() - last >= wait * 1000) await look();
}

async function keepPage() {
  if (!root.dataset.worker || !navigator.serviceWorker || !window.caches) return;
  await navigator.serviceWorker.register(root.dataset.worker);
  await navigator.serviceWorker.ready;
  const pages = await caches.open("counter-pages-1"), key = location.origin + location.pathname;
  if (await pages.match(key)) return;
  const page = await fetch(location.pathname, { headers: { Accept: "text/html" }, redirect: "error" });
  if (page.ok) await pages.put(key, page);
}

async function begin() {
  await Promise.all([clockRead, catalogue.begin(), basket.begin()]);
  goods.begin(pay.open);
  goods.drawFacilities();
  lines.begin();
  await till.begin(draw);
  pay.begin(till.till);
  history.begin();
  beginCodes();
  receipt.begin(() => { if (matchMedia("(pointer: fine)").matches) part("find-text").focus(); });
  beginScanning();
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  news.addEventListener("changed", draw);
  changes.addEventListener("changed", draw);
  addEventListener("online", look);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  setInterval(beat, 2000);
  root.hidden = false;
  draw();
  await look();
  root.dataset.ready = "1";
  navigator.storage?.persist?.();
  await keepPage().catch(() => {});
  root.dataset.kept = "1";
}

begin();
