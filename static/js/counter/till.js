// The till: which one this phone sells into, and opening one with its float. Needs a line; selling does not. Counting and
// closing have a page of their own.
import { get, now, post } from "./line.js";
import { keep, recall } from "./store.js";
import { base, copyOf, dayAndTime, digits, rupiah, say, slug, typed } from "./words.js";

const part = (id) => document.getElementById(id);
const [dialog, list, opening] = ["till", "till-list", "till-new"].map(part);
let state = null, chosen = null, changed = () => {};
const day = (moment) => new Intl.DateTimeFormat("sv", { timeZone: "Asia/Jakarta" }).format(moment);

/** The till that sales go to; null until one is open. */
export const till = () => (state?.till ? { id: state.till.id, name: state.till.name } : null);
export const told = () => state;
/** Since when the till has been open, if that was not today: nobody closed it in the evening. */
export const openedBefore = () => {
  const since = state?.till?.session?.opened_at;
  return since && day(new Date(since)) < day(now()) ? { name: state.till.name, day: dayAndTime(since) } : null;
};

/** Ask how the till stands. Throws NoLine or SignIn. */
export async function refresh() {
  let answer = await get(chosen ? `/state?till=${chosen}` : "/state");
  if (answer.status === 200 && chosen && !answer.json.till?.session) {
    chosen = null; // somebody has closed it
    answer = await get("/state");
  }
  if (answer.status !== 200) return;
  state = answer.json;
  chosen = state.till?.id ?? null;
  await keep(`state:${slug}`, state);
  draw();
}

export async function begin(onChange) {
  changed = onChange;
  state = await recall(`state:${slug}`) ?? null;
  chosen = state?.till?.id ?? null;
  part("till-open").addEventListener("click", open);
  part("till-float").addEventListener("input", () => {
    const amount = typed(part("till-float").value);
    part("till-float").value = amount === null ? "" : digits(amount);
  });
  opening.addEventListener("submit", (event) => { event.preventDefault(); act("/tills", { till: part("till-name").value.trim(), opening_float: typed(part("till-float").value) ?? 0 }); });
  draw();
}

function complain(sentence = "", kind = "bad") {
  part("till-said").replaceChildren();
  if (!sentence) return;
  const note = copyOf("note", { p: sentence });
  note.classList.add(`alert--${kind}`);
  part("till-said").append(note);
  part("till-said").scrollIntoView({ block: "nearest" });
}

const sentence = (answer) => Object.values(answer.json?.errors ?? {})[0] ?? answer.json?.detail ?? say("refused_plain");

function button(word, press) {
  const made = copyOf("small-button");
  made.textContent = say(word);
  made.addEventListener("click", press);
  return made;
}

function draw() {
  const own = till();
  part("till-open").hidden = !state;
  part("till-open").querySelector("span").textContent = own?.name ?? say("open_till");
  if (!dialog.open || !state) return;
  list.replaceChildren(...state.tills.map((one) => {
    const { session } = one;
    const sums = session ? say("till_sums", { float: rupiah(session.opening_float), cash: rupiah(session.cash_sales), count: session.count }) : say("till_closed");
    const made = copyOf("till-one", { b: one.name, small: sums });
    const acts = made.querySelector(".row");
    if (!session) acts.append(button("till_reopen", () => { part("till-name").value = one.name; part("till-float").focus(); }));
    else {
      if (one.id !== own?.id) acts.append(button("till_use", async () => { chosen = one.id; await refresh().catch(() => complain(say("till_line"))); changed(); }));
      acts.append(button("till_close", () => { location.href = `${base}/tills/${one.id}`; }));
    }
    return made;
  }));
  part("till-names").replaceChildren(...state.tills.filter((one) => !one.session).map((one) => new Option(one.name)));
}

export async function open(event) {
  event?.preventDefault();
  complain();
  if (!dialog.open) dialog.showModal();
  draw();
  await refresh().catch(() => complain(say("till_line"), "warn"));
}

async function act(path, body) {
  complain();
  const answer = await post(path, body).catch(() => null);
  if (!answer) return complain(say("till_line"), "warn");
  if (answer.status !== 201) return complain(sentence(answer));
  chosen = answer.json.till.id;
  opening.reset();
  await refresh().catch(() => {});
  dialog.close();
  changed();
}
