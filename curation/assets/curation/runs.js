// The pages of a run: a dialog that asks before something is ended for good, buttons that copy a hash, and a fragment that is not
// renewed under a button whose answer is awaited.
"use strict";

(function () {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
    if (event.target.closest("[data-cancels]")) event.target.closest("dialog").close();
    const copier = event.target.closest("[data-copy]");
    if (copier) copy(copier);
  });

  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-closes]")) event.target.closest("dialog").close();
  });

  let skipped = false;

  // A form that is swapped out of the page before its answer comes has nowhere to show the answer's toast.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target } = event.detail;
    if (target.id !== "live" || !target.querySelector("form.htmx-request")) return;
    event.detail.shouldSwap = false;
    skipped = true;
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (!skipped || !event.target.matches("#live form")) return;
    skipped = false;
    htmx.trigger("#live", "live");
  });

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      whetstone.toast({ text: "Copied." });
    } catch {
      whetstone.toast({ text: `This browser does not let pages copy. Here it is: ${button.dataset.copy}`, kind: "error" });
    }
  }
})();
