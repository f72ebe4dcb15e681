// Talking with the shop: what it answered, or that there is no line. The session's token is fetched anew when it is old,
// and the phone's clock is compared with the shop's each time, so that a clock that is wrong by a day harms nothing.
import { keep, recall } from "./store.js";
import { base, person, slug } from "./words.js";

const PATIENCE = 8000;
/** No answer, or none that means anything: whatever was sent may or may not have arrived. */
export class NoLine extends Error {}
/** The shop does not know who this is any more; what waits is kept until somebody has signed in. */
export class SignIn extends Error {}

let token = document.querySelector("meta[name=csrf-token]").content;
export const line = { isUp: navigator.onLine, needsSignIn: false };
export const changes = new EventTarget();
/** Milliseconds by which the shop's clock is ahead of the phone's, and the latest moment that it named. */
let clock = { ahead: 0, seen: 0 };
export const clockRead = recall("clock").then((kept) => { if (kept && kept.seen > clock.seen) clock = kept; });

/** Now, by the shop's clock: never before what the shop itself has said. */
export const now = () => new Date(Math.max(Date.now() + clock.ahead, clock.seen));
export const clockIsWrong = () => Math.abs(clock.ahead) > 5 * 60000;

function set(isUp, needsSignIn = line.needsSignIn) {
  if (line.isUp === isUp && line.needsSignIn === needsSignIn) return;
  Object.assign(line, { isUp, needsSignIn });
  changes.dispatchEvent(new Event("changed"));
}
addEventListener("offline", () => set(false));

async function request(path, options, patience) {
  const sent = Date.now();
  let answer;
  try {
    answer = await fetch(path, {
      ...options, credentials: "same-origin", redirect: "error", cache: "no-store", signal: AbortSignal.timeout(patience),
      headers: { Accept: "application/json", ...options.headers },
    });
    answer.json = await (answer.status === 204 || answer.status === 304 ? null : answer.text().then((text) => { try { return JSON.parse(text); } catch { return null; } }));
  } catch {
    set(false);
    throw new NoLine();
  }
  const said = Date.parse(answer.headers.get("Date") ?? "");
  // Whole seconds on the wire: half of one more, and half of the way there and back.
  if (said) compare(said + 500 - (sent + Date.now()) / 2, said);
  // A hotel's sign-in page, a proxy or a shop that is being restarted is no answer of the shop's.
  const isBusy = answer.status >= 500 || (answer.status === 429 && answer.json?.code !== "too_many_unpaid");
  if (isBusy || (answer.json === null && answer.status !== 304 && answer.status !== 204)) {
    set(false);
    throw new NoLine();
  }
  return answer;
}

function compare(ahead, seen) {
  clock = { ahead: Math.abs(ahead) < 2000 ? 0 : Math.round(ahead), seen };
  keep("clock", clock);
}

async function renew() {
  const answer = await request(`${base}/token`, {}, PATIENCE);
  if (answer.status !== 200 || answer.json.person.id !== person.id) {
    set(true, true);
    throw new SignIn();
  }
  token = answer.json.csrf;
}

/** Ask for something of this counter's. Throws NoLine or SignIn. */
export async function get(path, headers = {}, address = base) {
  const answer = await request(address + path, { headers }, PATIENCE);
  if (answer.status === 401) {
    set(true, true);
    throw new SignIn();
  }
  set(true, false);
  return answer;
}

/** Send something once; `fair` is the slug of the counter it belongs to. Throws NoLine or SignIn. */
export async function post(path, body, headers = {}, fair = slug) {
  const address = base.slice(0, -slug.length) + encodeURIComponent(fair) + path;
  const send = () => request(address, {
    method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRFToken": token, ...headers },
  }, PATIENCE);
  let answer = await send();
  if ([400, 401, 403].includes(answer.status) && ["csrf", "sign_in_needed", "cross_origin"].includes(answer.json?.code)) {
    await renew();
    answer = await send();
  }
  // Not found is the counter itself, for whoever is not named for it: a piece that is unknown has a code of its own.
  if (answer.status === 401 || answer.status === 403 || answer.json?.code === "not_found") {
    set(true, true);
    throw new SignIn();
  }
  set(true, false);
  return answer;
}
