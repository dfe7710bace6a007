// Keys and timing on the judging page. Without this script the page is a plain form that works the same.
"use strict";
{
  const SIDES = { ArrowLeft: "left", 1: "left", ArrowRight: "right", 2: "right", 0: "tie" };
  const form = document.getElementById("step");
  const button = form.querySelector("button[type=submit]");
  const keys = document.getElementById("keys");
  // After a fault the page goes on counting where it was.
  const before = (name) => Number(form.elements[name].value) || 0;
  const readBefore = before("decision_ms");
  let visibleSince = null;
  let sent = false;
  let timesAway = before("times_away");
  let pastes = before("pastes");

  const noteVisible = () => {
    if (document.visibilityState === "hidden") timesAway += 1;
    else if (visibleSince === null) visibleSince = performance.now();
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
  if (document.visibilityState === "visible") noteVisible();
  document.addEventListener("paste", () => { pastes += 1; });
  keys.checked = remember() !== "off";
  keys.addEventListener("change", () => remember(keys.checked ? "on" : "off"));

  document.addEventListener("keydown", (event) => {
    if (!keys.checked || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.isComposing) return;
    if (event.target.closest("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])")) return;
    if (event.target.matches("input[type=radio]:not([name=side])")) return; // Its own keys move within its group.
    const choice = SIDES[event.key] && form.elements["side-" + SIDES[event.key]];
    if (choice) {
      event.preventDefault();
      choice.click();
    } else if (event.key === "Enter" && !event.target.closest("a, button, summary")) {
      event.preventDefault();
      if (!event.repeat) form.requestSubmit(); // Without a choice the browser asks for one.
    }
  });

  form.addEventListener("submit", (event) => {
    if (sent) return event.preventDefault();
    sent = true;
    form.elements.times_away.value = timesAway;
    form.elements.pastes.value = pastes;
    const readNow = performance.now() - (visibleSince ?? performance.now());
    form.elements.decision_ms.value = readBefore + Math.round(readNow);
    button.disabled = true;
  });
  addEventListener("pageshow", () => {
    sent = false;
    button.disabled = false;
  });
}
