// The checkout's form: what is typed outlives going back and forward. Its place follows by itself: place.js.

import { PLACE, ask, control, form, put } from "./place.js";

const TEXT = ["name", "phone", "email", "line1", ...PLACE, "gift_note", "note"];
const KEPT = "checkout";
const stored = (store, name) => { try { return store.getItem(name) ?? ""; } catch { return ""; } };

// Kept for this tab alone. Choices and notes belong to one cart; an address is of use for the next one too.
function keep() {
  const values = {};
  for (const [name, value] of new FormData(form)) if (TEXT.includes(name) || name === "payment_method" || name.startsWith("shipping-")) values[name] = value;
  try { sessionStorage.setItem(KEPT, JSON.stringify({ cart: control("cart").value, values })); } catch { /* full, or not allowed */ }
}
const kept = JSON.parse(stored(sessionStorage, KEPT) || '{"values":{}}');
const isSameCart = kept.cart === control("cart").value;

addEventListener("pageshow", (event) => {
  if (event.persisted) return;
  let changed = false;
  for (const name of TEXT) {
    if (control(name).value || !kept.values[name] || (!isSameCart && name.endsWith("note"))) continue;
    control(name).value = kept.values[name];
    changed = true;
  }
  const notes = form.querySelector(".notes");
  notes.open ||= Boolean(control("gift_note").value || control("note").value);
  const way = isSameCart && form.querySelector(`[name=payment_method][value="${CSS.escape(kept.values.payment_method ?? "")}"]`);
  if (way) way.checked = true;
  const place = stored(localStorage, "place");
  if (PLACE.every((name) => !control(name).value) && place) {
    const [district, city, province] = place.split(", ");
    if (/^\d{5}$/.test(place)) { control("postal_code").value = place; ask("postal_code"); }
    else if (province) put({ province, city, district });
  } else if (changed || control("province").value) {
    ask("");
    if (!form.querySelector("[name=expected_total]")) changed = true;
  }
  if (changed) form.dispatchEvent(new CustomEvent("filled"));
  if (control("line1").value) keep(); // a saved address was chosen
});
form.addEventListener("input", keep);
form.addEventListener("change", keep);
// A way to send that was chosen before the page was left is asked for again.
form.addEventListener("htmx:configRequest", (event) => {
  if (!isSameCart) return;
  for (const [name, value] of Object.entries(kept.values)) {
    if (name.startsWith("shipping-") && !event.detail.formData.has(name) && !form.querySelector(`[name="${CSS.escape(name)}"]:checked`)) event.detail.formData.set(name, value);
  }
});
// A refused order is an answer to a form: without this, going back to it would ask whether to send it again.
history.replaceState(history.state, "", form.dataset.page);
