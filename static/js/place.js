// Where something goes: a postal code fills in the rest, and what is known says what can be chosen next.
// For a form with data-places and the fields of templates/ui/place.html.

export const form = document.querySelector("form[data-places]");
export const PLACE = ["province", "city", "district", "postal_code"];
export const control = (name) => form.elements[name];

// What we filled in ourselves gives way when the postal code changes; what was typed never does.
const ours = {};
let asked = 0;

export function put(values) {
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

export async function ask(cause) {
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
