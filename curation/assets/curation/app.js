// What every page needs: toasts, and the word that a request could not be answered. No inline handlers: the CSP has no exception.
"use strict";

(function () {
  const SECONDS = 12; // that a toast with an undo stays; one without stays half as long

  function toast({ text, kind = "ok", undo = "" }) {
    const box = document.createElement("div");
    box.className = `toast ${kind}`;
    const words = document.createElement("span");
    words.textContent = text;
    box.append(words);
    if (undo) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = "Undo";
      button.addEventListener("click", () => {
        box.remove();
        htmx.ajax("POST", undo, { swap: "none", source: document.body });
      });
      box.append(button);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "quiet close";
    close.setAttribute("aria-label", "Close");
    close.textContent = "×";
    close.addEventListener("click", () => box.remove());
    box.append(close);
    document.getElementById("toasts").append(box);
    if (kind !== "error") setTimeout(() => box.remove(), 1000 * (undo ? SECONDS : SECONDS / 2));
  }

  document.addEventListener("toast", (event) => toast(event.detail));
  document.addEventListener("htmx:sendError", () => toast({ text: "The server does not answer. Nothing was changed; try again.", kind: "error" }));
  document.addEventListener("htmx:responseError", (event) => {
    const request = event.detail.xhr;
    if (request.getResponseHeader("HX-Trigger")) return; // it says why itself
    if (request.status === 403 && !request.getResponseHeader("HX-Redirect")) toast({ text: "That was refused. You may have been signed out, or your role was changed; load the page again.", kind: "error" });
    else toast({ text: `That failed (${request.status}). Nothing was changed; load the page again.`, kind: "error" });
  });
  window.whetstone = { toast };
})();
