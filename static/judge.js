// Keys and timing on the judging page. Without this script the page is a plain form that works the same.
"use strict";
{
  const SIDES = { ArrowLeft: "left", 1: "left", ArrowRight: "right", 2: "right" };
  const form = document.getElementById("step");
  const button = form.querySelector("button[type=submit]");
  const keys = document.getElementById("keys");
  let visibleSince = null;
  let sent = false;

  const noteVisible = () => {
    if (visibleSince === null && document.visibilityState === "visible") visibleSince = performance.now();
  };
  const remember = (value) => {
    try {
      if (value) localStorage.setItem("keys", value);
      return localStorage.getItem("keys");
    } catch {
      return value; // Storage is switched off in this browser: the choice lasts for this page.
    }
  };

  document.addEventListener("visibilitychange", noteVisible);
  noteVisible();
  keys.checked = remember() !== "off";
  keys.addEventListener("change", () => remember(keys.checked ? "on" : "off"));

  document.addEventListener("keydown", (event) => {
    if (!keys.checked || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.isComposing) return;
    if (event.target.closest("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])")) return;
    const side = SIDES[event.key];
    if (side) {
      event.preventDefault();
      form.elements["side-" + side].click();
    } else if (event.key === "Enter" && !event.target.closest("a, button, summary")) {
      event.preventDefault();
      if (!event.repeat) form.requestSubmit(); // Without a choice the browser asks for one.
    }
  });

  form.addEventListener("submit", (event) => {
    if (sent) return event.preventDefault();
    sent = true;
    form.elements.decision_ms.value = Math.round(performance.now() - (visibleSince ?? performance.now()));
    button.disabled = true;
  });
  addEventListener("pageshow", () => {
    sent = false;
    button.disabled = false;
  });
}
