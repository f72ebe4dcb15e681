// Small comforts on top of pages that work without JavaScript.
// Runs again on every piece of page that htmx brings in.

const wide = matchMedia("(min-width: 960px)");

/** Plus and minus beside a quantity. */
function stepper(box) {
  const input = box.querySelector("input");
  for (const button of box.querySelectorAll("[data-step]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const from = Number(input.value) || 0;
      const least = Number(input.min || 0);
      const most = input.max === "" ? Infinity : Number(input.max);
      const next = Math.min(most, Math.max(least, from + Number(button.dataset.step)));
      if (next === from) return;
      input.value = next;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

/** Choosing a variant changes the price shown and the most that can be bought. */
function variants(box) {
  const form = box.closest("form");
  const show = () => {
    const chosen = box.querySelector("input:checked");
    if (!chosen) return;
    for (const price of document.querySelectorAll(".price--l, .buybar__price .price")) price.textContent = chosen.dataset.price;
    const quantity = form.querySelector("[name=quantity]");
    if (!quantity) return;
    quantity.max = chosen.dataset.max ?? "";
    if (quantity.max && Number(quantity.value) > Number(quantity.max)) quantity.value = quantity.max;
  };
  box.addEventListener("change", show);
  show();
}

/** Thumbnails move the gallery sideways, not the page; the gallery marks the thumbnail that is seen. */
function gallery(box) {
  const thumbs = [...document.querySelectorAll("[data-thumb]")];
  if (!thumbs.length) return;
  for (const thumb of thumbs) {
    thumb.addEventListener("click", (event) => {
      event.preventDefault();
      const target = document.getElementById(thumb.hash.slice(1));
      box.scrollTo({ left: target.offsetLeft - box.offsetLeft, behavior: "smooth" });
    });
  }
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const thumb of thumbs) thumb.toggleAttribute("aria-current", thumb.hash === "#" + entry.target.id);
    }
  }, { root: box, threshold: 0.6 });
  for (const picture of box.children) seen.observe(picture);
}

/** Forms that send themselves when something in them changes (their button stays for everyone else). */
function autosubmit(form) {
  for (const button of form.querySelectorAll("[data-nojs]")) button.hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
}

/** A form is sent once, also by an impatient thumb; coming back to the page frees it. */
function once(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", "true");
  });
}

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
  }
});

/** A sheet of filters that was open stays open, where one was in it, when htmx brings in the list anew. */
let sheet = null;
document.addEventListener("htmx:beforeSwap", () => {
  const open = document.querySelector(".filters[open] .filters__in");
  sheet = open && !wide.matches ? { top: open.scrollTop, at: document.activeElement?.id } : null;
});

/** What is a menu on phones and stands open on wide screens. */
function openWide(details) {
  const inside = details.querySelector(".filters__in");
  if (inside && sheet !== null) {
    details.open = true;
    inside.scrollTop = sheet.top;
    if (sheet.at) document.getElementById(sheet.at)?.focus({ preventScroll: true });
    sheet = null;
  }
  const follow = () => { if (wide.matches) details.open = true; };
  wide.addEventListener("change", follow);
  follow();
}

/** One press takes a value over to the bank's form; where the browser does not allow it, the button stays away. */
function copy(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  const word = button.querySelector("span");
  const before = word.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    word.textContent = button.dataset.done;
    setTimeout(() => { word.textContent = before; }, 2500);
  });
}

/** The search box offers what it finds once somebody types into it. */
function suggest(input) {
  input.addEventListener("focus", async () => {
    const { combobox } = await import(input.dataset.script);
    combobox(input);
  }, { once: true });
  if (document.activeElement === input) input.dispatchEvent(new Event("focus"));
}

const behaviours = {
  "[data-suggest]": suggest,
  "[data-qty]": stepper,
  "[data-variants]": variants,
  "#galeri": gallery,
  "[data-autosubmit]": autosubmit,
  "[data-once]": once,
  "[data-open-wide]": openWide,
  "[data-focus]": (box) => box.focus(),
  "[data-confirm]": (button) => button.addEventListener("click", (event) => {
    if (!confirm(button.dataset.confirm)) event.preventDefault();
  }),
  "[data-copy]": copy,
  // Minutes until a moment, counted down while the page stays open.
  "[data-until]": (mark) => {
    const until = Date.parse(mark.dataset.until);
    const timer = setInterval(() => {
      if (!mark.isConnected) clearInterval(timer);
      mark.textContent = Math.max(0, Math.floor((until - Date.now()) / 60000));
    }, 10000);
  },
  "[data-print]": (button) => {
    button.hidden = false;
    button.addEventListener("click", () => print());
  },
};

function enliven(root) {
  for (const [selector, behaviour] of Object.entries(behaviours)) {
    const found = [...root.querySelectorAll(selector)];
    if (root.matches?.(selector)) found.push(root);
    for (const element of found) {
      if (element.dataset.alive) continue;
      element.dataset.alive = "1";
      behaviour(element);
    }
  }
}

enliven(document);
document.addEventListener("htmx:load", (event) => enliven(event.target));

// The phone's menu closes when one presses elsewhere or Escape.
function closeMenu() {
  const menu = document.querySelector(".top .menu[open]");
  if (menu) menu.open = false;
  return menu;
}
document.addEventListener("click", (event) => {
  if (!event.target.closest(".menu")) closeMenu();
  const filters = document.querySelector(".filters[open]");
  if (filters && !wide.matches && event.target.isConnected && !event.target.closest(".filters")) filters.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  closeMenu()?.querySelector("summary").focus();
  const filters = document.querySelector(".filters[open]");
  if (filters && !wide.matches) {
    filters.open = false;
    filters.querySelector("summary").focus();
  }
});

// A toast leaves by itself once it has been read.
new MutationObserver((records) => {
  for (const record of records) for (const node of record.addedNodes) setTimeout(() => node.remove?.(), 8000);
}).observe(document.getElementById("toasts") ?? document.createElement("i"), { childList: true });
