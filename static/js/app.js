// Small comforts on top of pages that work without JavaScript.
// Runs again on every piece of page that htmx brings in.

const wide = matchMedia("(min-width: 960px)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

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

/** Choosing a variant shows its own price, state, day, picture and button, and gives the address its name. */
function variants(box) {
  const form = box.closest("form");
  for (const button of form.querySelectorAll("[data-nojs]")) button.hidden = true;
  const show = (event) => {
    const chosen = box.querySelector("input:checked");
    if (!chosen) return;
    for (const part of document.querySelectorAll("[data-of]")) part.hidden = part.dataset.of !== chosen.value;
    const quantity = form.querySelector("[name=quantity]");
    const step = quantity?.closest(".row");
    if (step) step.hidden = !form.querySelector(".buybar__go:not([hidden]) .btn--main");
    if (!event) return;
    const address = new URL(location);
    address.searchParams.set("sku", chosen.value);
    history.replaceState(history.state, "", address);
    const picture = document.getElementById(chosen.dataset.picture);
    if (picture) slideTo(picture);
  };
  box.addEventListener("change", show);
  addEventListener("pageshow", () => show());
  show();
}

/** Moves a rail of pictures sideways to one of them, never the page. */
function slideTo(slide, behavior = calm.matches ? "auto" : "smooth") {
  slide.parentElement.scrollTo({ left: slide.offsetLeft - slide.parentElement.offsetLeft, behavior });
}

/** A rail of pictures: arrows and keys step to the next, thumbnails choose, and mark the one that is seen. */
function gallery(box) {
  const slides = [...box.children];
  const seen = () => slides[Math.round(box.scrollLeft / box.clientWidth)] ?? slides[0];
  const links = document.querySelectorAll("[data-thumb], [data-step-to]");
  for (const link of links) {
    const target = document.getElementById(link.hash.slice(1));
    if (target?.parentElement !== box) continue;
    link.addEventListener("click", (event) => { event.preventDefault(); slideTo(target); });
  }
  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = step && slides[slides.indexOf(seen()) + step];
    if (!next || box.closest(".zoom--in")) return;
    event.preventDefault();
    slideTo(next);
  });
  box.addEventListener("focusin", (event) => {
    const slide = event.target.closest("[data-slide]");
    if (slide && slide !== seen()) slideTo(slide, "auto");
  });
  const watch = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      for (const link of links) {
        if (!("thumb" in link.dataset) || !document.getElementById(link.hash.slice(1))?.parentElement.isSameNode(box)) continue;
        if (link.hash === "#" + target.id) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
      }
    }
  }, { root: box, threshold: 0.6 });
  for (const slide of slides) watch.observe(slide);
}

/** Pictures open large; there they are swiped, stepped, and looked at closely by a button or two taps. */
function zoom(dialog) {
  const button = dialog.querySelector("[data-zoom-in]");
  const near = (is) => { dialog.classList.toggle("zoom--in", is); button.setAttribute("aria-pressed", is); };
  for (const link of document.querySelectorAll("[data-zoom]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.showModal();
      slideTo(document.getElementById(link.dataset.zoom), "auto");
      dialog.querySelector("[tabindex]").focus();
    });
  }
  const turn = () => {
    const rail = dialog.querySelector(".zoom__rail");
    const slide = rail.children[Math.round(rail.scrollLeft / rail.clientWidth)] ?? rail.firstElementChild;
    near(!dialog.classList.contains("zoom--in"));
    slideTo(slide, "auto");
    slide.scrollTo(slide.scrollWidth / 4, slide.scrollHeight / 4);
  };
  button.addEventListener("click", turn);
  for (const slide of dialog.querySelectorAll("[data-slide]")) slide.addEventListener("dblclick", turn);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => near(false));
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

/** What others may have changed meanwhile is asked anew when its page is shown again. */
function again(box) {
  // Nobody's typing is replaced under their fingers.
  const ask = () => { if (!document.activeElement?.matches("#" + box.id + " input")) htmx.trigger(box, "again"); };
  addEventListener("pageshow", (event) => {
    if (event.persisted || performance.getEntriesByType("navigation")[0]?.type === "back_forward") ask();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  // Whoever goes by keyboard stays where a line was that is gone.
  const lines = () => [...box.querySelectorAll(".line")];
  let at = -1;
  box.addEventListener("htmx:beforeSwap", () => { at = lines().indexOf(document.activeElement?.closest(".line")); });
  box.addEventListener("htmx:afterSettle", () => {
    if (at < 0 || document.activeElement !== document.body) return;
    const next = lines()[at] ?? box;
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
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

/** A letter presses its button, while the focus is within and nothing is being written; the button says which. */
function keys(box) {
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const button = /^[a-z]$/i.test(event.key) && box.querySelector(`[data-key="${event.key.toLowerCase()}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  box.focus({ preventScroll: true });
}

/** Where goods shall go is remembered by this browser, and told to the cart with what is put into it. */
const toCart = (place) => { const field = document.querySelector("#beli [name=place]"); if (field) field.value = place; };
function remember(form) {
  const { to } = form.elements;
  let place = "";
  try { place = localStorage.getItem("place"); } catch { /* nothing may be kept here */ }
  toCart(place);
  if (to.value || !place) return;
  to.value = place;
  document.addEventListener("htmx:load", () => htmx.trigger(form, "recall"), { once: true });
}

// What is wished for lies in this browser (slug → price when it was saved) until somebody signs in, then in their account.
const MOST_WISHES = 60;
/** Slugs on the account's list; null: nobody has signed in, as far as is known. */
let wished = null;
function kept() { try { return JSON.parse(localStorage.getItem("wishes")) ?? {}; } catch { return {}; } }
function keep(list) { try { localStorage.setItem("wishes", JSON.stringify(list)); } catch { /* nothing may be kept here */ } }
const items = (list) => Object.entries(list).reverse().map((wish) => wish.join("~")).join(",");

function send(path, fields) {
  const form = document.getElementById("wish");
  return fetch(form.action + path, { method: "POST", headers: { "HX-Request": "true" }, body: new URLSearchParams(fields) });
}

function fillHearts(root = document) {
  const list = kept();
  for (const heart of root.querySelectorAll("[data-wish]")) heart.setAttribute("aria-pressed", wished?.has(heart.value) ?? heart.value in list);
}

async function press(heart) {
  const slug = heart.value;
  const on = heart.getAttribute("aria-pressed") !== "true";
  if (wished) {
    const answer = await send("", { [on ? "slug" : "remove"]: slug }).catch(() => null);
    // Signed out elsewhere, or the list is full: the page says it.
    if (!answer?.ok) { heart.form.requestSubmit(heart); return; }
    wished[on ? "add" : "delete"](slug);
  } else {
    const list = kept();
    delete list[slug];
    if (on && Object.keys(list).length < MOST_WISHES) list[slug] = heart.dataset.wish;
    keep(list);
  }
  fillHearts();
}

/** Somebody has signed in: what this browser kept goes to their list, once. */
async function joinWishes(mark) {
  wished = new Set(mark.dataset.wishes.split(" ").filter(Boolean));
  const list = kept();
  if (Object.keys(list).length) {
    const answer = await send("/merge", { items: items(list) }).catch(() => null);
    if (answer?.ok) {
      keep({});
      for (const slug in list) wished.add(slug);
      if (document.querySelector("[data-wish-own]")) location.reload();
    }
  }
  fillHearts();
}

const behaviours = {
  "[data-wish]": (heart) => {
    fillHearts(heart.parentElement);
    heart.addEventListener("click", (event) => {
      event.preventDefault();
      press(heart);
    });
  },
  "[data-wishes]": joinWishes,
  "[data-wish-list]": (box) => {
    const draw = () => htmx.ajax("GET", `${box.dataset.wishList}?items=${encodeURIComponent(items(kept()))}`, { target: box });
    if (window.htmx) draw(); else addEventListener("load", draw);
  },
  "[data-go]": (form) => form.requestSubmit(),
  "[data-suggest]": suggest,
  "[data-keys]": keys,
  "[data-qty]": stepper,
  "[data-variants]": variants,
  ".gallery": gallery,
  ".zoom": zoom,
  "[data-autosubmit]": autosubmit,
  "[data-once]": once,
  "[data-again]": again,
  "[data-open-wide]": openWide,
  "[data-focus]": (box) => box.focus(),
  "[data-confirm]": (button) => button.addEventListener("click", (event) => {
    if (!confirm(button.dataset.confirm)) event.preventDefault();
  }),
  "[data-copy]": copy,
  "[data-share]": (button) => {
    if (!navigator.share) return;
    button.hidden = false;
    // Closing the phone's own menu is no error.
    button.addEventListener("click", () => navigator.share({ title: button.dataset.title, url: button.dataset.share }).catch(() => {}));
  },
  "[data-remember]": remember,
  "[data-place]": (found) => {
    try { localStorage.setItem("place", found.dataset.place); } catch { /* not allowed to keep anything */ }
    document.getElementById("f-to").value = found.dataset.place;
    toCart(found.dataset.place);
  },
  // Minutes until a moment, counted down while the page stays open.
  "[data-until]": (mark) => {
    const until = Date.parse(mark.dataset.until);
    const timer = setInterval(() => {
      if (!mark.isConnected) clearInterval(timer);
      mark.textContent = Math.max(0, Math.floor((until - Date.now()) / 60000));
    }, 10000);
  },
  // A warning that waits for its moment.
  "[data-warn]": (box) => {
    const show = () => { if (box.isConnected) box.firstElementChild.hidden = false; };
    const wait = Date.parse(box.dataset.warn) - Date.now();
    if (wait < 2 ** 31) setTimeout(show, Math.max(0, wait));
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

// The shop keeps what it needs for a phone without network (sw.js); a copy that is shown is called one.
if (document.querySelector("link[rel=manifest]")) {
  addEventListener("load", () => navigator.serviceWorker?.register("/sw.js").catch(() => {}));
}
const away = document.getElementById("away");
if (away) {
  const tell = () => { away.hidden = navigator.onLine; };
  addEventListener("online", tell);
  addEventListener("offline", tell);
  tell();
}
// Whoever signs out leaves no order on this device.
document.addEventListener("submit", (event) => {
  if (event.target.action.endsWith("/logout")) window.caches?.delete("shop-order-1");
});

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
  for (const record of records) for (const node of record.addedNodes) {
    // What holds a button waits for whoever is about to press it.
    const leave = () => { if (node.matches?.(":hover, :focus-within")) setTimeout(leave, 4000); else node.remove?.(); };
    setTimeout(leave, node.querySelector?.("form") ? 20000 : 8000);
  }
}).observe(document.getElementById("toasts") ?? document.createElement("i"), { childList: true });
