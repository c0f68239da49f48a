/** What a reader can do with the figures of a page; it has the functions of chart.js and memory.js in front of it. */

/* global document, window, drawFigure, escapeText, formatValue, recall, remember */

const root = document.documentElement;
const figures = JSON.parse(document.getElementById("figures").textContent);

for (const element of document.querySelectorAll("figure[data-figure]")) {
  follow(element, figures[element.dataset.figure]);
}

const theme = document.getElementById("theme");
theme.hidden = false;
if (recall("theme").chosen !== undefined) root.dataset.theme = recall("theme").chosen;
theme.addEventListener("click", () => {
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  theme.setAttribute("aria-pressed", String(!isDark));
  remember("theme", { chosen: root.dataset.theme });
});

/** Draws a figure again when its room or a choice changes, and says what the values under the pointer are. */
function follow(element, figure) {
  const canvas = element.querySelector(".canvas");
  const name = `figure ${element.dataset.figure}`;
  const state = { smooth: 1, seeds: true, off: [], ...recall(name) };
  let drawing = null;

  const draw = () => {
    const width = Math.max(300, Math.min(920, Math.round(canvas.clientWidth)));
    drawing = drawFigure(figure, { width, ...state });
    canvas.innerHTML = drawing.svg;
    look.hide();
  };

  const look = lookUp(element, canvas, figure, () => drawing);
  element.querySelector(".controls").hidden = false;
  for (const input of element.querySelectorAll(".controls input, .controls select")) {
    if (input.name === "smooth") input.value = String(state.smooth);
    else input.checked = state[input.name] ?? input.checked;
    input.addEventListener("change", () => {
      if (input.name === "smooth") state.smooth = Number(input.value);
      else state[input.name] = input.checked;
      remember(name, state);
      draw();
    });
  }
  for (const button of element.querySelectorAll(".legend button")) {
    button.disabled = false;
    button.setAttribute("aria-pressed", String(!state.off.includes(button.dataset.group)));
    button.addEventListener("click", () => {
      const { group } = button.dataset;
      const isOff = state.off.includes(group);
      state.off = isOff ? state.off.filter((other) => other !== group) : [...state.off, group];
      button.setAttribute("aria-pressed", String(isOff));
      remember(name, state);
      draw();
    });
  }
  let width = 0;
  new window.ResizeObserver(() => {
    if (canvas.clientWidth === width) return;
    width = canvas.clientWidth;
    // Not within the observer's own round, which a new height would begin again.
    window.requestAnimationFrame(draw);
  }).observe(canvas);
}

/** A line at the nearest x with the values there: by pointer, or by the arrow keys. */
function lookUp(element, canvas, figure, drawingNow) {
  const tip = element.querySelector(".tip");
  let place = null;

  const hide = () => {
    tip.hidden = true;
    place = null;
    canvas.querySelector(".cursor")?.remove();
  };

  const placesOf = ({ drawn, x, y }) => {
    const main = drawn.some(({ role }) => role === "main") ? drawn.filter(({ role }) => role === "main") : drawn;
    const shown = main.flatMap(({ points }) =>
      points.filter((point) => x.isShown(point[0]) && y.isShown(point[1])).map(([px]) => px),
    );
    return [...new Set(shown)].sort((a, b) => a - b);
  };

  const show = (drawing, px) => {
    place = px;
    const { x, area, drawn } = drawing;
    const at = x.at(px);
    canvas.querySelector(".cursor")?.remove();
    const svg = canvas.querySelector("svg");
    svg.insertAdjacentHTML("beforeend", `<path class="cursor" d="M${at} ${area.top}V${area.bottom}"/>`);
    const rows = drawn.flatMap(({ name, group, role, points, style }) => {
      const point = points.find(([one]) => one === px);
      if (point === undefined || (role === "seed" && drawn.length > 12)) return [];
      const error =
        point.length > 2 && typeof point[2] === "number"
          ? ` (${formatValue(point[2], figure.y.format)} to ${formatValue(point[3], figure.y.format)})`
          : "";
      const label = role === "seed" ? name : group;
      return [
        `<li><i class="${style.color}"></i>${escapeText(label)}: <b>${formatValue(point[1], figure.y.format)}</b>${error}</li>`,
      ];
    });
    tip.innerHTML = `${escapeText(figure.x.title)} <b>${formatValue(px, figure.x.format)}</b><ul>${rows.slice(0, 14).join("")}</ul>`;
    tip.hidden = false;
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    const left = at * scale;
    tip.style.left = `${Math.max(0, Math.min(left + 12, canvas.clientWidth - tip.offsetWidth))}px`;
    if (left + 12 + tip.offsetWidth > canvas.clientWidth)
      tip.style.left = `${Math.max(0, left - 12 - tip.offsetWidth)}px`;
  };

  if (figure.kind === "lines") {
    canvas.addEventListener("pointermove", (event) => {
      const drawing = drawingNow();
      const svg = canvas.querySelector("svg");
      const box = svg.getBoundingClientRect();
      const pixel = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const nearest = placesOf(drawing).reduce(
        (best, one) =>
          best === null || Math.abs(drawing.x.at(one) - pixel) < Math.abs(drawing.x.at(best) - pixel) ? one : best,
        null,
      );
      if (nearest !== null && nearest !== place) show(drawing, nearest);
    });
    canvas.addEventListener("pointerleave", hide);
    canvas.addEventListener("blur", hide);
    canvas.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
      if (event.key === "Escape") hide();
      if (!(event.key in moves)) return;
      event.preventDefault();
      const drawing = drawingNow();
      const places = placesOf(drawing);
      const from = place === null ? (moves[event.key] > 0 ? -1 : places.length) : places.indexOf(place);
      const to = Math.max(0, Math.min(places.length - 1, from + moves[event.key]));
      if (places.length > 0) show(drawing, places[to]);
    });
  }
  return { hide };
}
