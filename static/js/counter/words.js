// The page's own words and how it writes amounts and times; sentences come from the template.
export const root = document.getElementById("counter");
export const slug = root.dataset.slug;
export const base = root.dataset.base;
export const person = { id: Number(root.dataset.person), name: root.dataset.name };
export const isEnglish = document.documentElement.lang === "en";
const words = JSON.parse(document.getElementById("counter-words").textContent);

/** A sentence of the page with its blanks filled in. */
export const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
/** `Rp 485.000`, never broken over two lines. */
export const rupiah = (amount) => `${amount < 0 ? "−" : ""}Rp\u00a0${digits(Math.abs(amount))}`;
export const digits = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ".");
/** What was typed as an amount: digits alone count, so that `50.000` and `Rp 50 000` are one. Empty: null. */
export const typed = (text) => { const found = text.replace(/\D/g, "").slice(0, 12); return found ? Number(found) : null; };
export const clockTime = (moment) => new Intl.DateTimeFormat(isEnglish ? "en-GB" : "id", { hour: "2-digit", minute: "2-digit" }).format(new Date(moment));
export const dayAndTime = (moment) => new Intl.DateTimeFormat(isEnglish ? "en-GB" : "id", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }).format(new Date(moment));
/** `4 Desember 2026`, or `4 Des`, of a day as `2026-12-04`. */
export const dayName = (day, month = "long") => new Intl.DateTimeFormat(isEnglish ? "en-GB" : "id", { day: "numeric", month, ...(month === "long" && { year: "numeric" }) }).format(new Date(`${day}T00:00`));

/** A copy of a template of the page, with texts put where they belong: `{".price": "Rp 5.000"}`. */
export function copyOf(name, texts = {}) {
  const made = document.getElementById(name).content.firstElementChild.cloneNode(true);
  for (const [selector, text] of Object.entries(texts)) made.querySelector(selector).textContent = text;
  return made;
}
