// The pool, the refine pairs and the page of one of them: choosing rows, keys, and what a decision changes on the screen.
// A key acts only on the sample that the panel shows, and not while another one is on its way.
"use strict";

(function () {
  const WIDE = matchMedia("(min-width: 1100px)"); // as in pool.css: from here on the panel stands beside the list
  const DECIDED = { keep: ["Kept", "good"], drop: ["Dropped", "bad"], discuss: ["To discuss", "wait"], fix: ["Truth fixed", "wait"] };

  let comment = false; // whether the panel that comes next is to be written into
  let onward = false; // whether the row after the last one is to be opened when it has come
  let withheld = false; // whether new facets came while a question about all that was found was open

  const one = (selector, within = document) => within.querySelector(selector);
  const panel = () => document.getElementById("panel");
  const shown = () => one("#panel article.sample");
  const rows = () => Array.from(document.querySelectorAll("#rows > .verdict"));
  const rowOf = (sample) => one(`#rows > .verdict[data-sample="${Number(sample)}"]`);
  const isBeside = () => Boolean(one(".columns")) && WIDE.matches;

  function load(address) {
    panel().setAttribute("aria-busy", "true");
    htmx.ajax("GET", address, { source: panel(), target: panel(), swap: "innerHTML" });
  }

  function mark(row) {
    for (const other of rows()) one(".open", other).removeAttribute("aria-current");
    if (!row) return;
    one(".open", row).setAttribute("aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
  }

  function open(row) {
    mark(row);
    history.replaceState(history.state, "", `#s${row.dataset.sample}`);
    load(one(".open", row).getAttribute("href"));
  }

  function step(by) {
    if (!one(".columns")) return follow(by);
    const all = rows();
    const at = all.findIndex((row) => one(".open", row).hasAttribute("aria-current"));
    const next = all[at < 0 ? 0 : at + by];
    if (next && (at >= 0 || by > 0)) return WIDE.matches ? open(next) : one(".open", next).focus();
    const more = by > 0 && one("#more a");
    if (!more) return undefined;
    onward = true;
    return htmx.trigger(more, "click");
  }

  function follow(by) {
    const address = shown()?.dataset[by > 0 ? "after" : "before"];
    if (address) location.assign(address);
  }

  function badge(sample, kind) {
    const chip = rowOf(sample) && one(".chip.decision", rowOf(sample));
    if (!chip) return;
    const [label, tone] = DECIDED[kind] ?? ["", ""];
    chip.textContent = label;
    chip.className = `chip decision ${tone}`;
    chip.hidden = !label;
  }

  function again() {
    if (shown()) load(shown().dataset.here);
  }

  function reload() {
    const list = document.getElementById("list");
    if (list) htmx.ajax("GET", location.pathname + location.search, { target: list, swap: "innerHTML" });
    again();
  }

  document.addEventListener("decided", (event) => {
    const { sample, kind } = event.detail;
    if (!sample) return reload();
    badge(sample, kind);
    if (String(sample) !== shown()?.dataset.sample) return undefined;
    if (kind === "discuss" || kind === "fix") {
      comment = kind === "discuss";
      return again();
    }
    if (isBeside() ? rowOf(sample)?.nextElementSibling : shown().dataset.after) return step(1);
    return again();
  });

  document.addEventListener("undone", (event) => {
    const { sample, kind } = event.detail;
    if (!sample) return reload();
    badge(sample, kind);
    if (String(sample) === shown()?.dataset.sample) return again();
    return isBeside() && rowOf(sample) ? open(rowOf(sample)) : undefined;
  });

  document.addEventListener("commented", again);

  // The question stands among the facets: nobody loses it to counts that come late. What it sends is refused if it no longer holds.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "facets" || !one("#bulk[open]")) return;
    event.detail.shouldSwap = false;
    withheld = true;
  });

  document.addEventListener("close", (event) => {
    if (event.target.id !== "bulk" || !withheld) return;
    withheld = false;
    askFacets();
  }, true);

  document.addEventListener("htmx:afterSwap", (event) => {
    const id = event.detail.target?.id;
    if (id === "list") settleList();
    if (id === "facets") settleFacets();
    if (onward && (id === "more" || id === "list")) {
      onward = false;
      step(1);
    }
  });

  // Not after the swap: a form that htmx has not seen yet would be sent as if there were no htmx.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "panel") settlePanel();
  });

  function settlePanel() {
    panel().removeAttribute("aria-busy");
    panel().scrollTop = 0;
    if (comment) one("#comment")?.focus();
    comment = false;
  }

  function askFacets() {
    const { query } = one("#list .chosen").dataset;
    const facets = document.getElementById("facets");
    const base = facets.dataset.facets.split("?")[0];
    for (const button of facets.querySelectorAll("[data-bulk]")) button.disabled = true; // they stand for what was found before
    htmx.ajax("GET", query ? `${base}?${query}` : base, { source: facets, target: facets, swap: "innerHTML" });
  }

  function settleList() {
    const chosen = one("#list .chosen");
    askFacets();
    const q = document.getElementById("q");
    if (q !== document.activeElement) q.value = chosen.dataset.q;
    document.getElementById("list").scrollTop = 0;
    if (shown()) mark(rowOf(shown().dataset.sample));
  }

  function settleFacets() {
    const total = one("#facets .total");
    const count = document.getElementById("count");
    if (total && count) count.textContent = total.textContent.trim().replace(/\s+/g, " ");
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.target?.id === "panel" && !event.detail.successful) panel().removeAttribute("aria-busy");
    const dialog = event.detail.elt.closest?.("dialog");
    if (dialog && event.detail.successful) dialog.close();
  });

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const row = event.target.closest("#rows > .verdict");
    if (row && isBeside() && !String(getSelection())) {
      event.preventDefault();
      open(row);
      return;
    }
    const move = event.target.closest("[data-step]");
    if (move && isBeside() && shown()) {
      event.preventDefault();
      step(move.dataset.step === "after" ? 1 : -1);
      return;
    }
    press(event.target.closest("button"));
  });

  function press(button) {
    if (!button) return;
    if (button.id === "show-keys") document.getElementById("keys").showModal();
    if (button.matches(".show-facets")) {
      const open = document.getElementById("facets").classList.toggle("open");
      button.setAttribute("aria-expanded", String(open));
    }
    if ("more" in button.dataset) {
      for (const line of button.closest(".facet").querySelectorAll("li.extra")) line.hidden = false;
      button.remove();
    }
    if (button.dataset.bulk) confirmAll(button);
    if ("close" in button.dataset) button.closest("dialog").close();
  }

  function confirmAll(button) {
    const dialog = document.getElementById("bulk");
    one('input[name="kind"]', dialog).value = button.dataset.bulk;
    for (const word of dialog.querySelectorAll("[data-bulk-word]")) word.textContent = button.textContent.replace("…", "");
    dialog.showModal();
  }

  const MOVES = { j: 1, ArrowDown: 1, ArrowUp: -1 };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && typing) typing.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (act(event)) event.preventDefault();
  });

  function act(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "?") return document.getElementById("keys")?.showModal() ?? true;
    if (key === "/") return focus(document.getElementById("q"));
    if (key in MOVES) return step(MOVES[key]) ?? true;
    if (event.repeat || !"kdecu".includes(key) || panel()?.getAttribute("aria-busy") === "true") return false;
    const button = one(`#panel [data-key="${key}"]`);
    if (!button || one("#panel .htmx-request")) return false;
    if (key === "c" && button.getAttribute("aria-pressed") === "true") return focus(one("#comment"));
    button.click();
    return true;
  }

  function focus(field) {
    field?.focus();
    field?.select?.();
    return Boolean(field);
  }

  function begin() {
    const sample = location.hash.match(/^#s(\d+)$/)?.[1];
    if (!sample || !isBeside()) return;
    const chosen = one(".chosen");
    if (rowOf(sample)) open(rowOf(sample));
    else if (chosen) load(`${chosen.dataset.detail}${sample}/${chosen.dataset.query ? `?${chosen.dataset.query}` : ""}`);
  }

  document.addEventListener("DOMContentLoaded", begin);
})();
