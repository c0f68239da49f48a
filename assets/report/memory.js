/** What a reader has chosen, over the page's being opened again: a page that follows runs opens itself every few seconds. */

/* global document, window */

const PLACE = `thawline ${window.location.pathname}`;
const remembered = readMemory();

/** A figure's choices, or the page's own. */
function recall(name) {
  return remembered[name] ?? {};
}

function remember(name, choices) {
  remembered[name] = choices;
  try {
    window.sessionStorage.setItem(PLACE, JSON.stringify(remembered));
  } catch {
    // A browser that keeps nothing shows the page as it came.
  }
}

function readMemory() {
  try {
    const found = JSON.parse(window.sessionStorage.getItem(PLACE) ?? "{}");
    return typeof found === "object" && found !== null ? found : {};
  } catch {
    return {};
  }
}

for (const [index, details] of [...document.querySelectorAll("details")].entries()) {
  const name = `details ${index}`;
  details.open = recall(name).open ?? details.open;
  details.addEventListener("toggle", () => remember(name, { open: details.open }));
}

window.addEventListener("pagehide", () => remember("scroll", { y: window.scrollY }));
if (document.querySelector('meta[http-equiv="refresh"]') !== null) {
  window.addEventListener("load", () => window.scrollTo(0, recall("scroll").y ?? 0));
}
