// A button with data-copy="ID" copies the text, or the value, of the element with that id.
"use strict";

(function () {
  async function copy(source) {
    const text = "value" in source ? source.value : source.textContent;
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const range = document.createRange(); // without https there is no clipboard but the old one
    if ("select" in source) source.select();
    else {
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }
    if (!document.execCommand("copy")) throw new Error("not copied");
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await copy(document.getElementById(button.dataset.copy));
      whetstone.toast({ text: "Copied." });
    } catch {
      whetstone.toast({ text: "The browser did not copy it: select the text and copy it by hand.", kind: "error" });
    }
  });
})();
