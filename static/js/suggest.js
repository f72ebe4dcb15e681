// What the search box offers while one types: a combobox after the ARIA pattern. Loaded when the box is first used;
// without it the box is a plain form.

const WAIT = 140; // milliseconds of quiet before asking

export function combobox(input) {
  const form = input.form;
  const list = document.createElement("div");
  const said = document.createElement("p");
  list.id = "saran";
  list.className = "suggest";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.list);
  said.className = "sr";
  said.setAttribute("role", "status");
  form.append(list, said);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]])
    input.setAttribute(name, value);

  const kept = new Map();
  let timer = 0;
  let asked = "";
  let active = -1;
  const options = () => [...list.querySelectorAll("[role=option]")];

  function mark(next) {
    const all = options();
    all[active]?.setAttribute("aria-selected", "false");
    active = next;
    const chosen = all[active];
    if (!chosen) return input.removeAttribute("aria-activedescendant");
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", chosen.id);
  }

  function open(is) {
    list.hidden = !is;
    input.setAttribute("aria-expanded", String(is));
    if (!is) mark(-1);
  }

  function show(html) {
    mark(-1);
    list.innerHTML = html; // our own page's fragment, escaped by the server
    said.textContent = list.firstElementChild?.dataset.said ?? "";
    open(Boolean(list.firstElementChild) && document.activeElement === input);
  }

  async function ask() {
    const typed = input.value.trim().replace(/\s+/g, " ");
    asked = typed;
    if (typed.length < 2) return show("");
    if (!kept.has(typed)) {
      try {
        const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(typed)}`);
        if (!answer.ok) return;
        kept.set(typed, await answer.text());
      } catch {
        return; // no line: the form still works
      }
    }
    if (asked === typed) show(kept.get(typed)); // a slower answer to fewer letters is not wanted any more
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  input.addEventListener("keydown", (event) => {
    const count = options().length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!count) return ask();
      event.preventDefault();
      if (list.hidden) open(true);
      // From the box itself (-1) round to the other end.
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark(((active + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (event.key === "Enter" && active >= 0 && !list.hidden) {
      event.preventDefault();
      options()[active].click();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      open(false);
    }
  });
  // Pressing an option must not take the focus away before it is followed.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  input.addEventListener("blur", () => open(false));
  form.addEventListener("submit", () => { clearTimeout(timer); asked = ""; open(false); });
  addEventListener("pageshow", () => open(false));
  if (input.value && document.activeElement === input) ask();
}
