// Looks at every framed page and writes down what a person would trip over.

function channels(colour) {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
  return { red, green, blue, alpha };
}

// WCAG 2.2, relative luminance and contrast ratio
function luminance({ red, green, blue }) {
  const [r, g, b] = [red, green, blue].map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function behind(element, view) {
  for (let at = element; at; at = at.parentElement) {
    const colour = channels(view.getComputedStyle(at).backgroundColor);
    if (colour.alpha > 0) return colour;
  }
  return { red: 255, green: 255, blue: 255 };
}

function named(element) {
  return `${element.tagName.toLowerCase()}.${element.getAttribute("class") || ""} ${element.textContent.trim().slice(0, 40)}`;
}

function texts(page, view) {
  return [...page.body.querySelectorAll("*")].filter((element) => {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    return own && element.getClientRects().length && view.getComputedStyle(element).visibility === "visible";
  });
}

function look(frame) {
  const page = frame.contentDocument;
  const view = frame.contentWindow;
  for (const details of page.querySelectorAll("details")) details.open = true;
  const width = page.documentElement.clientWidth;
  const shown = texts(page, view).filter((element) => element.getBoundingClientRect().right > 0);
  const ratios = shown.map((element) => [contrast(channels(view.getComputedStyle(element).color), behind(element, view)), named(element)]);
  return {
    name: frame.name,
    width,
    scrollWidth: page.documentElement.scrollWidth,
    beyond: shown.filter((element) => element.getBoundingClientRect().right > width + 0.5).map(named).slice(0, 20),
    cut: shown.filter((e) => e.scrollWidth > e.clientWidth + 1 && view.getComputedStyle(e).overflowX !== "visible").map(named).slice(0, 20),
    overlapping: overlapping(page).slice(0, 20),
    texts: shown.length,
    faint: ratios.filter(([ratio]) => ratio < 4.5).slice(0, 20),
    paper: luminance(channels(view.getComputedStyle(page.documentElement).backgroundColor)),
    ink: luminance(channels(view.getComputedStyle(page.body).color)),
  };
}

// Neighbouring cells whose contents run into each other.
function overlapping(page) {
  const cells = [...page.querySelectorAll("td > div")];
  return cells.filter((cell) => {
    const edge = cell.parentElement.getBoundingClientRect().right;
    return [...cell.querySelectorAll("*")].some((part) => part.getBoundingClientRect().right > edge + 0.5);
  }).map(named);
}

window.addEventListener("load", () => {
  const frames = [...document.querySelectorAll("iframe")];
  document.getElementById("found").textContent = JSON.stringify(frames.map(look));
});
