// One stream of changes per visible page. An element with data-live="run:17" (or "team:3", or several, by spaces) gets the event
// "live" when something of that run or team changed, at most once a second; htmx listens by hx-trigger="live".
"use strict";

(function () {
  const PAUSE = 1000; // ms between two "live" of the same elements
  const LONGEST = 60000; // ms between two tries to reach a server that is away
  const KEPT = 500; // ids of events remembered, because a new stream repeats some

  let source = null;
  let retry = 0; // timer of the next try
  let wait = PAUSE;
  let last = ""; // id of the newest event seen
  const seen = new Set();
  const fired = new Map(); // data-live → time of its last "live"
  const due = new Map(); // data-live → its timer

  const listeners = () => document.querySelectorAll("[data-live]");

  function fire(topics) {
    due.delete(topics);
    fired.set(topics, Date.now());
    for (const element of listeners()) {
      if (element.dataset.live === topics) element.dispatchEvent(new CustomEvent("live", { bubbles: false }));
    }
  }

  function changed(matches) {
    for (const topics of new Set(Array.from(listeners(), (element) => element.dataset.live))) {
      if (due.has(topics) || !topics.split(/\s+/).some(matches)) continue;
      const left = (fired.get(topics) ?? 0) + PAUSE - Date.now();
      due.set(topics, setTimeout(fire, Math.max(0, left), topics));
    }
  }

  function hear(message) {
    wait = PAUSE;
    const said = JSON.parse(message.data);
    if (said.event) {
      if (seen.has(said.event)) return;
      seen.add(said.event);
      if (seen.size > KEPT) seen.delete(seen.values().next().value);
      last = String(Math.max(Number(last), said.event));
    }
    changed((topic) => topic === `run:${said.run}` || topic === `team:${said.team}`);
  }

  function open() {
    if (source || document.hidden || !listeners().length) return;
    clearTimeout(retry);
    source = new EventSource(`/stream/${last && `?after=${last}`}`);
    source.addEventListener("message", hear);
    source.addEventListener("reset", () => changed(() => true));
    source.addEventListener("open", () => document.documentElement.setAttribute("data-stream", "open"));
    source.addEventListener("error", () => {
      document.documentElement.removeAttribute("data-stream");
      if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      close();
      retry = setTimeout(open, wait);
      wait = Math.min(2 * wait, LONGEST);
    });
  }

  function close() {
    clearTimeout(retry);
    source?.close();
    source = null;
    document.documentElement.removeAttribute("data-stream");
  }

  const look = () => (document.hidden || !listeners().length ? close() : open());

  document.addEventListener("visibilitychange", look);
  document.addEventListener("htmx:afterSettle", look);
  addEventListener("pagehide", close);
  addEventListener("pageshow", look);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", look);
  else look();
})();
