// Rows of numbers. Enter and the arrows go from row to row; in a stock-take each number is saved as soon as it is written,
// again and again while the line is away, and kept in this browser until it is.
const AGAIN = 5000;

function walk(form, boxes) {
  form.addEventListener("keydown", (event) => {
    const at = boxes.indexOf(event.target);
    const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (at < 0 || !step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = boxes[at + step] ?? (step > 0 ? form.querySelector("button[type=submit]") : null);
    next?.focus();
    next?.select?.();
  });
  for (const box of boxes) box.addEventListener("focus", () => box.select());
}

function saving(form, boxes) {
  const name = `count:${form.dataset.save}:${location.pathname.replace(/^\/en/, "")}`;
  const waiting = JSON.parse(localStorage.getItem(name) ?? "{}"); // row → [number, when it was written]
  const of = (row) => form.querySelector(`[data-count="${row}"]`);
  const state = form.querySelector("[data-state]");
  let busy = false, timer = 0;

  const keep = () => {
    const any = Object.keys(waiting).length;
    if (any) localStorage.setItem(name, JSON.stringify(waiting));
    else localStorage.removeItem(name);
    return any;
  };
  const mark = (box, text, kind = "") => {
    const place = box.closest("li").querySelector("[data-mark]");
    place.textContent = text;
    place.className = `tally__mark ${kind && `tally__mark--${kind}`}`;
    box.setAttribute("aria-invalid", kind === "bad");
  };
  const later = (text) => {
    state.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(send, AGAIN);
  };

  function body(sent) {
    const data = new FormData();
    for (const key of ["csrf_token", "once", "counted_at"]) data.set(key, form.elements[key]?.value ?? "");
    for (const [row, [number, at]] of Object.entries(sent)) {
      data.set(`c-${row}`, number);
      data.set(`was-${row}`, form.elements[`was-${row}`]?.value ?? "");
      data.set(`age-${row}`, Math.max(0, Math.round((Date.now() - at) / 1000)));
    }
    return data;
  }

  async function send() {
    if (busy || !Object.keys(waiting).length) return;
    busy = true;
    const sent = { ...waiting };
    let told = null;
    try {
      const answer = await fetch(form.action, { method: "POST", body: body(sent), headers: { Accept: "application/json" } });
      if (answer.status === 401 || answer.status === 403) later(form.dataset.signin);
      else if (answer.status >= 500 || answer.status === 429) later(form.dataset.waiting);
      else told = await answer.json();
    } catch {
      later(form.dataset.waiting);
    }
    busy = false;
    if (told) take(sent, told);
  }

  function take(sent, told) {
    const whole = told.detail ?? (told.refusal || told.errors?.counted_at || told.errors?.once);
    for (const [row, [number, at]] of Object.entries(sent)) {
      if (waiting[row]?.[1] === at) delete waiting[row];
      const box = of(row);
      if (!box) continue;
      const wrong = whole || told.errors[`c-${row}`];
      const note = told.rows?.[row]?.note;
      if (!wrong) form.elements[`was-${row}`].value = number.trim();
      mark(box, wrong || note || (number.trim() && form.dataset.saved), wrong ? "bad" : note ? "due" : "ok");
    }
    if (told.progress) document.querySelector("[data-progress]").textContent = told.progress;
    state.textContent = "";
    if (keep()) send();
  }

  for (const [row, [number]] of Object.entries(waiting)) if (of(row)) of(row).value = number;
  form.addEventListener("change", (event) => {
    const row = event.target.dataset.count;
    if (!row) return;
    waiting[row] = [event.target.value, Date.now()];
    keep();
    mark(event.target, "");
    send();
  });
  // The page's own button saves all of it at once; what waited is in its boxes.
  form.addEventListener("submit", () => localStorage.removeItem(name));
  addEventListener("online", send);
  send();
}

for (const form of document.querySelectorAll("[data-next]")) {
  const boxes = [...form.querySelectorAll("[data-count]:enabled")];
  walk(form, boxes);
  if (form.dataset.save) saving(form, boxes);
}
