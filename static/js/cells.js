// Tables of figures by keyboard: arrows go from cell to cell, Enter follows the link of a cell, x picks a row, c copies rows as cells.
const says = (box, text) => { const said = box.querySelector("[data-said]"); if (said) said.textContent = text; };
const shown = (cell) => {
  // Soft hyphens and signs for the eye (no-break space, the long minus, thousands' points) would make text of a number.
  const text = (cell.querySelector(".sort") ? cell.innerText.replace(/[↕▲▼]/g, "") : cell.innerText).replace(/\u00a0/g, " ").replace(/\s+/g, " ").trim();
  if (!cell.classList.contains("r")) return /^[=+@\t\r-]/.test(text) ? `'${text}` : text;
  const bare = text.replace(/^Rp /, "").replace(/^−(?:Rp )?/, "-");
  return bare === "–" ? "" : /^-?\d{1,3}([.,]\d{3})+$/.test(bare) ? bare.replace(/[.,]/g, "") : bare;
};

for (const table of document.querySelectorAll("table[data-cells]")) {
  const box = document.querySelector(`[data-cells-for="${table.id}"]`);
  const rows = () => [...table.querySelectorAll("tbody tr, tfoot tr")];
  const cells = (row) => [...row.children];
  const help = box?.querySelector("[data-cells-help]");
  let at = null;

  const go = (cell) => {
    if (!cell) return;
    at?.removeAttribute("tabindex");
    at = cell;
    at.tabIndex = -1;
    at.focus({ preventScroll: true });
    at.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const beside = (down, right) => {
    const row = at.parentElement, all = rows();
    const to = all[all.indexOf(row) + down];
    if (!down) return go(cells(row)[cells(row).indexOf(at) + right]);
    if (to) go(cells(to)[Math.min(cells(to).length - 1, cells(row).indexOf(at))]);
  };
  const copy = async () => {
    const picked = [...table.querySelectorAll("tbody tr.is-picked")];
    const taken = picked.length ? picked : [...table.querySelectorAll("tbody tr")];
    const lines = [table.querySelector("thead tr"), ...taken].map((row) => cells(row).map(shown).join("\t"));
    const said = box?.querySelector("[data-said]");
    try {
      await navigator.clipboard.writeText(lines.join("\r\n"));
      says(box, `${said.dataset.done} ${taken.length}`);
    } catch { says(box, said.dataset.failed); }
  };
  const pick = () => { const row = at.closest("tbody tr"); if (row) row.ariaSelected = String(row.classList.toggle("is-picked")); };
  const acts = {
    ArrowDown: () => beside(1, 0), ArrowUp: () => beside(-1, 0), ArrowRight: () => beside(0, 1), ArrowLeft: () => beside(0, -1),
    Home: () => go(cells(at.parentElement)[0]), End: () => go(cells(at.parentElement).at(-1)), x: pick, c: () => { if (box) copy(); },
  };

  if (box) { box.hidden = false; box.querySelector("[data-copy]").addEventListener("click", copy); }
  // The table's frame is reached by Tab; the first arrow goes into its first cell.
  const frame = table.closest("[tabindex]") ?? table;
  frame.addEventListener("focusin", (event) => { const cell = event.target.closest("tbody td, tbody th, tfoot td, tfoot th"); if (cell && cell !== at) { at?.removeAttribute("tabindex"); at = cell; } });
  frame.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    if (event.key === "?" && help) { help.open = !help.open; event.preventDefault(); return; }
    if (event.key === "Enter" && event.target === at) { at.querySelector("a")?.click(); event.preventDefault(); return; }
    if (!at && /^Arrow(Down|Right)$/.test(event.key)) { event.preventDefault(); go(table.querySelector("tbody tr")?.children[0]); return; }
    const act = at && acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
