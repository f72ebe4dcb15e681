// The packing queue by keyboard: j and k go through the rows, x ticks one, Enter opens it, letters press the buttons that name them.
const box = document.querySelector("[data-queue]");
const form = box?.closest("form");
const rows = [...box?.querySelectorAll("tbody tr") ?? []];
const ticks = [...box?.querySelectorAll("[name=parcel]") ?? []];
const all = box?.querySelector("[data-all]");
const count = form?.querySelector("[data-count]");
const help = document.querySelector("[data-keys-help]");
let at = -1;

function tell() {
  const ticked = ticks.filter((tick) => tick.checked).length;
  if (count) count.textContent = ticked ? `· ${ticked}` : "";
  if (all) { all.checked = ticked > 0 && ticked === ticks.length; all.indeterminate = ticked > 0 && ticked < ticks.length; }
}

function go(step) {
  if (!rows.length) return;
  rows[at]?.classList.remove("is-at");
  at = Math.min(rows.length - 1, Math.max(0, at + step));
  rows[at].classList.add("is-at");
  rows[at].scrollIntoView({ block: "nearest" });
  rows[at].querySelector("th a").focus({ preventScroll: true });
}

const acts = {
  j: () => go(1), ArrowDown: () => go(1), k: () => go(-1), ArrowUp: () => go(-1),
  x: () => { if (ticks[at]) { ticks[at].checked = !ticks[at].checked; tell(); } },
  "/": () => document.querySelector("[name=q]")?.focus(),
  "?": () => { if (help) help.open = !help.open; },
};

if (box) {
  if (all) { all.hidden = false; all.addEventListener("change", () => { for (const tick of ticks) tick.checked = all.checked; tell(); }); }
  if (help) help.hidden = false;
  form.addEventListener("change", tell);
  addEventListener("pageshow", tell);
  box.addEventListener("focusin", (event) => {
    const row = rows.indexOf(event.target.closest("tbody tr"));
    if (row >= 0 && row !== at) { rows[at]?.classList.remove("is-at"); at = row; rows[at].classList.add("is-at"); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    let act = acts[event.key];
    if (!act && /^[a-z]$/.test(event.key)) {
      const button = form.querySelector(`[data-key="${event.key}"]`);
      if (button) act = () => {
        if (!ticks.some((tick) => tick.checked) && ticks[at]) { ticks[at].checked = true; tell(); }
        button.click();
      };
    }
    if (!act) return;
    event.preventDefault();
    act();
  });
}
