// Fetches the page again while it can be seen, and changes in place what differs. Without it, the page has a reload link.
"use strict";
{
  const live = document.getElementById("live");
  const seconds = Number(live.dataset.refresh);
  const trouble = document.getElementById("trouble");

  // Words, numbers and drawings change; what is focused, scrolled or unfolded stays so.
  const change = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh);
    } else if (old.nodeType !== Node.ELEMENT_NODE) {
      old.data = fresh.data;
    } else {
      for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
      if (old.childNodes.length === fresh.childNodes.length) {
        const pairs = [...old.childNodes].map((node, i) => [node, fresh.childNodes[i]]);
        for (const [before, after] of pairs) change(before, after);
      } else {
        old.replaceChildren(...fresh.childNodes);
      }
    }
  };

  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store", redirect: "error" });
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      page.getElementById("by-itself").hidden = false;
      change(live, document.importNode(page.getElementById("live"), true));
      trouble.hidden = true;
    } catch {
      trouble.hidden = false;
    }
  };

  document.getElementById("by-itself").hidden = false;
  setInterval(refresh, seconds * 1000);
  document.addEventListener("visibilitychange", refresh);
}
