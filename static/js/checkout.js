// The checkout's form: places follow from what is typed, and what is typed outlives going back and forward.

const form = document.getElementById("checkout");
const PLACE = ["province", "city", "district", "postal_code"];
const TEXT = ["name", "phone", "email", "line1", ...PLACE, "gift_note", "note"];
const KEPT = "checkout";
const control = (name) => form.elements[name];
const stored = (store, name) => { try { return store.getItem(name) ?? ""; } catch { return ""; } };

// What we filled in ourselves gives way when the postal code changes; what was typed never does.
const ours = {};
let asked = 0;

function put(values) {
  let changed = false;
  for (const [name, value] of Object.entries(values)) {
    const input = control(name);
    if (input.value.trim() && input.value !== ours[name]) continue;
    changed ||= input.value !== value;
    input.value = ours[name] = value;
  }
  if (changed) form.dispatchEvent(new CustomEvent("filled"));
  return changed;
}

async function ask(cause) {
  const query = new URLSearchParams();
  for (const name of PLACE) {
    const value = control(name).value.trim();
    if (value && (cause !== "postal_code" || name === cause || value !== ours[name])) query.set(name, value);
  }
  const turn = ++asked;
  let answer;
  try { answer = await (await fetch(`${form.dataset.places}?${query}`)).json(); } catch { return; }
  if (turn !== asked) return;
  for (const [name, values] of Object.entries(answer.lists)) {
    document.getElementById(`list-${name}`).replaceChildren(...values.map((value) => new Option("", value)));
  }
  const several = document.getElementById("several");
  const select = control("place");
  several.hidden = !answer.choices.length;
  select.replaceChildren(select.options[0], ...answer.choices.map((place) => {
    const option = new Option(place.label, place.code);
    Object.assign(option.dataset, { province: place.province, city: place.city, district: place.district });
    return option;
  }));
  // Of another postal code: what we had filled in and this one leaves open is asked anew.
  if (answer.choices.length) {
    for (const name of PLACE) if (ours[name] && control(name).value === ours[name] && !query.has(name) && !(name in answer.fill)) control(name).value = "";
  }
  if (put(answer.fill)) document.getElementById("place-said").textContent = Object.values(answer.fill).join(", ");
}

control("postal_code").addEventListener("input", (event) => {
  if (/^\d{5}$/.test(event.target.value.trim())) ask("postal_code");
});
form.addEventListener("change", (event) => {
  const { name, selectedOptions } = event.target;
  if (name === "place" && selectedOptions[0].value) put({ ...selectedOptions[0].dataset });
  else if (PLACE.includes(name)) ask(name);
});

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
