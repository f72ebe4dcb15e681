// Writing a listing on a bad line: what is typed saves itself, and lies in this browser until the shop has it.
// Without this file the same form saves by its buttons.

const form = document.querySelector("[data-listing]");
const said = document.getElementById("said");
const words = (name) => form.dataset["words" + name];
const CSRF = form.elements.csrf_token.value;
const TYPED = 1200, AGAIN = 8000, WEEK = 7 * 24 * 3600 * 1000;

let timer = 0, sending = null, dirty = false, sent = "";
let box = "listing:" + form.dataset.key;

function tell(text, state = "") { said.textContent = text; said.dataset.state = state; }

/** All that is typed, without files, buttons and what the server counts. */
function typed() {
  const data = new FormData(form);
  const rows = [];
  for (const [name, value] of data) if (typeof value === "string" && !["csrf_token", "version", "base", "page", "do"].includes(name)) rows.push([name, value]);
  return rows;
}

/** What people see and write, of all that is sent. */
const seen = (rows) => rows.filter(([name]) => form.elements[name] && form.elements[name].type !== "hidden");

/** `pressed`: sent by a button, so that the next page may show that it arrived. */
function keepHere(pressed = false) {
  const { version, page, base } = form.elements;
  const kept = { version: version.value, page: page.value, base: base.value, rows: typed(), pressed, at: Date.now() };
  try { localStorage.setItem(box, JSON.stringify(kept)); } catch { /* nothing may be kept here */ }
}
function forget() { try { localStorage.removeItem(box); } catch { /* nothing was kept */ } }

/** Sends the form once; what changes meanwhile is sent after it. Resolves to whether the shop has all of it. */
async function save() {
  clearTimeout(timer);
  if (sending) { await sending; }
  const rows = typed();
  const now = JSON.stringify(rows);
  if (now === sent) return true;
  sending = post(rows, now);
  const done = await sending;
  sending = null;
  return done;
}

async function post(rows, now) {
  tell(words("Saving"));
  const body = new URLSearchParams(rows);
  body.set("version", form.elements.version.value);
  body.set("page", form.elements.page.value);
  body.set("base", form.elements.base.value);
  body.set("do", "autosave");
  const answer = await fetch(form.action, {
    method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": CSRF }, signal: AbortSignal.timeout(20000),
  }).catch(() => null);
  if (answer?.ok) {
    const done = await answer.json();
    sent = now;
    form.elements.version.value = done.version;
    adopt(done.address);
    if (JSON.stringify(typed()) === now) { dirty = false; forget(); }
    tell(words("Saved").replace("{at}", done.saved_at));
    return true;
  }
  keepHere();
  if (answer?.status === 409) { tell(words("Moved"), "away"); return false; }
  if (answer?.status === 401) { tell(words("Login"), "away"); return false; }
  tell(words("Away"), "away");
  timer = setTimeout(save, AGAIN);
  return false;
}

/** The draft has begun: from now on it has an address of its own. */
function adopt(address) {
  if (form.getAttribute("action") === address) return;
  forget();
  form.setAttribute("action", address);
  form.dataset.photos = address + "/photos";
  form.dataset.key = address.split("/").pop();
  box = "listing:" + form.dataset.key;
  history.replaceState(history.state, "", address);
}

form.addEventListener("input", (event) => {
  if (event.target.type === "file") return;
  dirty = true;
  clearTimeout(timer);
  timer = setTimeout(save, TYPED);
});
addEventListener("online", () => { if (dirty) save(); });
document.addEventListener("visibilitychange", () => { if (document.hidden && dirty) { keepHere(); save(); } });
addEventListener("pagehide", () => { if (dirty) keepHere(); });
form.addEventListener("submit", () => { if (dirty) keepHere(true); clearTimeout(timer); });

/** What this browser kept because it never arrived comes back into the form. */
function recall() {
  let kept = null;
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith("listing:") && Date.now() - JSON.parse(localStorage.getItem(name)).at > WEEK) localStorage.removeItem(name);
    }
    kept = JSON.parse(localStorage.getItem(box));
  } catch { return; }
  if (!kept) return;
  const before = JSON.stringify(seen(typed()));
  const arrived = kept.pressed && Number(form.elements.version.value) > Number(kept.version);
  if (arrived || JSON.stringify(seen(kept.rows)) === before) { forget(); return; }
  const named = new Map(kept.rows);
  for (const field of form.elements) {
    if (!field.name || ["file", "submit", "hidden"].includes(field.type)) continue;
    if (field.type === "checkbox") { field.checked = kept.rows.some(([name, value]) => name === field.name && value === field.value); }
    else if (named.has(field.name)) field.value = named.get(field.name);
  }
  form.elements.version.value = kept.version;
  form.elements.page.value = kept.page;
  form.elements.base.value = kept.base;
  if (JSON.stringify(seen(typed())) === before) { forget(); return; }
  dirty = true;
  // In a place of its own: what saves itself soon says so where this would stand.
  document.getElementById("brought").hidden = false;
  save();
}

// Photos: one after the other, each with its progress; one that fails does not cost the others.
const list = document.getElementById("sending");
let queue = Promise.resolve();

for (const input of form.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => {
    for (const file of input.files) queue = queue.then(() => upload(file));
    input.value = "";
  });
}

async function upload(file) {
  const item = document.createElement("li");
  const bar = document.createElement("progress");
  bar.className = "progress";
  bar.setAttribute("aria-label", file.name);
  const fail = (text) => { item.textContent = `${file.name}: ${text}`; item.className = "field__error"; };
  item.append(file.name, bar);
  list.append(item);
  if (file.size > Number(form.dataset.largest)) { fail(words("Big")); return; }
  if (!form.dataset.photos) { sent = ""; await save(); }
  if (!form.dataset.photos) { fail(words("Failed")); return; }
  await new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.dataset.photos);
    request.setRequestHeader("X-CSRFToken", CSRF);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) { bar.max = event.total; bar.value = event.loaded; } });
    request.addEventListener("loadend", () => {
      if (request.status === 200 || request.status === 422) { show(request.responseText); item.remove(); } else fail(words("Failed"));
      done();
    });
    const data = new FormData();
    data.append("photos", file);
    request.send(data);
  });
}

/** A fresh part of photos; what is being typed about them stays. */
function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("photos");
  if (!fresh) return;
  const version = fresh.querySelector("[name=version]");
  if (version) { form.elements.version.value = version.value; version.remove(); }
  for (const field of document.querySelectorAll("#photos [name^='photo.']")) {
    const other = fresh.querySelector(`[name="${field.name}"]`);
    if (other) { other.value = field.value; if (other.tagName === "INPUT") other.setAttribute("value", field.value); }
  }
  document.getElementById("photos").replaceWith(fresh);
  window.htmx?.process(fresh);
  grips(fresh);
}

// Order by drag: with the mouse and with a finger. Buttons do the same by keyboard.
function grips(root) {
  for (const grip of root.querySelectorAll("[data-grip]")) {
    grip.hidden = false;
    grip.addEventListener("pointerdown", (event) => {
      const shot = grip.closest("[data-shot]");
      event.preventDefault();
      grip.setPointerCapture(event.pointerId);
      shot.classList.add("shot--moving");
      const move = ({ clientY }) => {
        for (const other of shot.parentElement.children) {
          if (other === shot) continue;
          const { top, height } = other.getBoundingClientRect();
          const middle = top + height / 2;
          const follows = shot.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
          if (follows && clientY > middle) other.after(shot);
          else if (!follows && clientY < middle) { other.before(shot); break; }
        }
      };
      const drop = () => {
        grip.removeEventListener("pointermove", move);
        shot.classList.remove("shot--moving");
        const ids = [...shot.parentElement.children].map((one) => one.dataset.shot).join(",");
        press("photo-order:" + ids);
      };
      grip.addEventListener("pointermove", move);
      grip.addEventListener("lostpointercapture", drop, { once: true });
    });
  }
}

async function press(act) {
  const body = new URLSearchParams(typed());
  for (const name of ["version", "page", "base"]) body.set(name, form.elements[name].value);
  body.set("do", act);
  const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRFToken": CSRF } }).catch(() => null);
  if (answer?.ok) show(await answer.text()); else { keepHere(); tell(words("Away"), "away"); }
}

document.addEventListener("htmx:afterSwap", (event) => { if (event.target.id === "photos" || event.detail.elt?.id === "photos") grips(document); });
sent = JSON.stringify(typed());
recall();
grips(document);
