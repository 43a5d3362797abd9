// The pages of a run: a dialog that asks before something is ended for good, and buttons that copy a hash.
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

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      whetstone.toast({ text: "Copied." });
    } catch {
      whetstone.toast({ text: `This browser does not let pages copy. Here it is: ${button.dataset.copy}`, kind: "error" });
    }
  }
})();
