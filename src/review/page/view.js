// Puts photos and what is known of them on the page. All text goes through
// textContent: names and captions come from files.

import { picture, store } from "./store.js";

export const $ = (id) => document.getElementById(id);

/** An element with properties and children. */
export function el(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const SIGNS = { keep: "✓", review: "?", drop: "✕" };
const NEAR = 8; // photos that are held ready in full size
const held = new Map(); // sha256 -> image

/** The photo in full size; the same element again while it is near. */
export function full(photo) {
  let image = held.get(photo.sha256);
  if (!image) {
    image = el("img", { alt: photo.path, src: picture(photo, 2048), draggable: false });
    image.addEventListener("error", () => held.delete(photo.sha256));
  }
  held.delete(photo.sha256);
  held.set(photo.sha256, image);
  while (held.size > NEAR) held.delete(held.keys().next().value);
  return image;
}

/** The strip of small photos. `choose` is called with an id. */
export function strip(photos, choose) {
  $("strip").replaceChildren(...photos.map((photo) => {
    const button = el("button", { tabIndex: -1, title: photo.path }, el("i"));
    if (photo.crop) {
      const image = el("img", { alt: "", loading: "lazy", draggable: false, src: picture(photo, 224) });
      if (photo.faces.length) {
        const [x, y, w, h] = photo.faces[0].bbox;
        const share = (at, size) => `${Math.round(Math.min(1, Math.max(0, at / size)) * 100)}%`;
        image.style.objectPosition = `${share(x + w / 2, photo.width)} ${share(y + h / 2, photo.height)}`;
      }
      button.prepend(image);
    }
    button.addEventListener("click", () => choose(photo.id));
    const item = el("li", {}, button);
    item.dataset.id = photo.id;
    mark(item, photo);
    return item;
  }));
}

/** Brings the photo's place in the strip up to date. */
export function restrip(photo) {
  const item = [...$("strip").children].find((item) => item.dataset.id === photo.id);
  if (item) mark(item, photo);
}

function mark(item, photo) {
  item.className = photo.verdict + (photo.decision?.verdict ? " decided" : "");
  const button = item.firstElementChild;
  button.ariaLabel = `${photo.path}: ${photo.verdict}`;
  button.querySelector("i").textContent = SIGNS[photo.verdict];
}

/** Marks the photo that is shown and brings it into sight. */
export function point(id) {
  for (const item of $("strip").children) {
    const current = item.dataset.id === id;
    item.firstElementChild.ariaCurrent = String(current);
    if (current) item.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

/** How many photos each tab has. */
export function counts() {
  const count = { all: store.photos.length, keep: 0, review: 0, drop: 0 };
  store.photos.forEach((photo) => count[photo.verdict]++);
  document.querySelectorAll("[data-show]").forEach((tab) => {
    tab.querySelector("span").textContent = count[tab.dataset.show];
  });
  $("trigger").textContent = store.trigger;
  $("class").textContent = store.className;
  $("undo").disabled = !store.last;
  $("undo").title = store.last ? `Takes back: ${said(store.last)}` : "Nothing was decided yet";
}

/** A decision in words. */
export function said(decision) {
  const photo = store.photos.find((photo) => photo.sha256 === decision.sha256);
  const what = [];
  if (decision.verdict) what.push(decision.verdict + (decision.reason ? ` (${decision.reason})` : ""));
  if (decision.caption !== undefined) what.push("caption");
  if (decision.crop) what.push("crop");
  return `${photo ? photo.path : "a photo that is gone"}: ${what.join(", ")}`;
}

/** Everything beside the photo. */
export function panel(photo, place) {
  $("panel").hidden = !photo;
  if (!photo) return;
  $("name").textContent = photo.path;
  $("place").textContent = place;
  document.querySelectorAll("[data-verdict]").forEach((button) => {
    button.ariaPressed = String(button.dataset.verdict === photo.verdict);
    button.disabled = !photo.crop;
  });
  const overruled = photo.decision?.verdict && photo.decision.verdict !== photo.verdict_by_rules;
  $("rules").hidden = !overruled;
  $("rules").textContent = overruled ? `The rules say ${photo.verdict_by_rules}.` : "";
  const line = (reason, kind) => el("li", { className: kind, textContent: reason.message });
  $("reasons").replaceChildren(
    ...photo.reasons.map((reason) => line(reason, photo.verdict)),
    ...photo.notes.map((reason) => line(reason, "aside")));
  words(photo);
  cropWords(photo);
  $("measures").replaceChildren(...photo.measures.map(measure),
    row("size", photo.width ? `${photo.width} x ${photo.height} px` : "unknown"),
    row("sha256", photo.sha256.slice(0, 16) || "unknown"));
}

function words(photo) {
  const text = photo.caption ?? "";
  const at = text.toLowerCase().indexOf(store.trigger.toLowerCase());
  const parts = at < 0 ? [text] : [text.slice(0, at),
    el("mark", { textContent: text.slice(at, at + store.trigger.length) }),
    text.slice(at + store.trigger.length)];
  $("caption").replaceChildren(...parts);
  $("edit").disabled = !photo.crop;
  const note = photo.crop && at < 0 ? `It lacks the trigger ${store.trigger}.` : "";
  $("caption-note").hidden = !note;
  $("caption-note").textContent = note;
}

function cropWords(photo) {
  $("crop").disabled = !photo.crop;
  $("crop-text").textContent = photo.crop ? measured(photo, photo.crop) : "The photo cannot be read.";
  const enlarged = photo.upscale > 1;
  $("crop-note").hidden = !enlarged;
  $("crop-note").textContent = enlarged ? `It is enlarged ${photo.upscale.toFixed(2)} times.` : "";
}

/** A crop's size and what it becomes. */
export function measured(photo, crop) {
  const share = Math.round(100 * crop.width * crop.height / (photo.width * photo.height));
  const { width, height } = photo.bucket;
  return `${crop.width} x ${crop.height} px, ${share} % of the photo, trained at ${width} x ${height}`;
}

function measure({ name, value, unit, lowest, highest }) {
  const outside = value < (lowest ?? -Infinity) || value > (highest ?? Infinity);
  const shown = Number.isInteger(value) ? String(value) : value.toFixed(3);
  const limits = [lowest == null ? "" : `≥ ${lowest}`, highest == null ? "" : `≤ ${highest}`];
  const text = [`${shown} ${unit === "count" ? "" : unit}`.trim(), ...limits].filter(Boolean).join("  ");
  return row(name.replaceAll("_", " "), text, outside);
}

function row(name, text, bad = false) {
  return el("tr", { className: bad ? "bad" : "" },
    el("td", { textContent: name }), el("td", { textContent: text }));
}

let silence;
/** Tells what happened, for a moment. */
export function tell(text, bad = false) {
  const said = $("said");
  said.textContent = text;
  said.className = bad ? "shown bad" : "shown";
  clearTimeout(silence);
  silence = setTimeout(() => { said.className = ""; }, bad ? 7000 : 2500);
}
