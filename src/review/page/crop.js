// The box of what is trained on: shown over the photo, and moved and resized
// with the bucket's aspect kept.

import { $, el, measured, tell } from "./view.js";

let photo = null; // the photo that is shown
let crop = null; // what the box shows, in the photo's pixels
let save = null; // what to do with a chosen crop, while one is being chosen

export const cropping = () => save !== null;

/** Shows the photo's crop and faces; ends choosing. */
export function show(next) {
  leave();
  photo = next;
  crop = photo.crop;
  $("faces").replaceChildren(...photo.faces.map((face, index) => {
    const [x, y, width, height] = face.bbox;
    return place(el("i", { className: index ? "other" : "" }), { x, y, width, height });
  }));
  place($("box"), crop);
}

/** Puts an element over a part of the photo. */
function place(element, { x, y, width, height }) {
  element.style.left = `${100 * x / photo.width}%`;
  element.style.top = `${100 * y / photo.height}%`;
  element.style.width = `${100 * width / photo.width}%`;
  element.style.height = `${100 * height / photo.height}%`;
  return element;
}

/** Lets the person choose; `done` gets the crop. */
export function choose(done) {
  save = done;
  document.body.classList.add("cropping");
  $("crop-bar").hidden = false;
  $("choices").replaceChildren(...photo.crops.map((choice, index) => {
    const button = el("button", {}, `${choice.name} `, el("kbd", { textContent: index + 1 }));
    button.addEventListener("click", () => set(choice));
    return button;
  }));
  set(photo.crop);
  $("box").focus({ preventScroll: true });
}

/** Stops choosing; the photo keeps its crop. */
export function leave() {
  if (!save) return;
  save = null;
  document.body.classList.remove("cropping");
  $("crop-bar").hidden = true;
  crop = photo.crop;
  place($("box"), crop);
}

export function accept() {
  const done = save;
  done?.({ x: crop.x, y: crop.y, width: crop.width, height: crop.height });
}

function set(next) {
  crop = next;
  place($("box"), crop);
  const upscale = photo.bucket.width / crop.width;
  $("crop-now").textContent = measured(photo, crop) + (upscale > 1 ? `, enlarged ${upscale.toFixed(2)} times` : "");
}

/** The crop of whole pixels nearest to `width` around a middle, inside the photo. */
function around(x, y, width) {
  const aspect = photo.bucket.width / photo.bucket.height;
  const most = Math.min(photo.width, photo.height * aspect);
  const least = Math.min(most, Math.ceil(photo.bucket.width / 4) + 1); // enlarged four times
  const wanted = Math.min(most, Math.max(least, width));
  const size = aspect >= 1
    ? { width: Math.round(wanted), height: Math.round(Math.round(wanted) / aspect) }
    : { width: Math.round(Math.round(wanted / aspect) * aspect), height: Math.round(wanted / aspect) };
  size.width = Math.min(size.width, photo.width);
  size.height = Math.min(size.height, photo.height);
  const start = (middle, length, side) =>
    Math.round(Math.min(side - length, Math.max(0, middle - length / 2)));
  return { x: start(x, size.width, photo.width), y: start(y, size.height, photo.height), ...size };
}

function moved(dx, dy) {
  const x = Math.round(Math.min(photo.width - crop.width, Math.max(0, crop.x + dx)));
  const y = Math.round(Math.min(photo.height - crop.height, Math.max(0, crop.y + dy)));
  set({ ...crop, x, y });
}

function scaled(by) {
  set(around(crop.x + crop.width / 2, crop.y + crop.height / 2, crop.width + by));
}

/** A key while choosing; tells whether it was one. */
export function key(event) {
  const step = event.shiftKey ? 1 : Math.max(1, Math.round(Math.max(photo.width, photo.height) / 100));
  const given = photo.crops[Number(event.key) - 1];
  const keys = {
    ArrowLeft: () => moved(-step, 0), ArrowRight: () => moved(step, 0),
    ArrowUp: () => moved(0, -step), ArrowDown: () => moved(0, step),
    "+": () => scaled(2 * step), "=": () => scaled(2 * step),
    "-": () => scaled(-2 * step), "_": () => scaled(-2 * step),
    Enter: accept, Escape: leave, c: leave,
  };
  const does = keys[event.key] ?? (given && (() => set(given)));
  does?.();
  return Boolean(does);
}

/** Dragging moves the box, a corner resizes it with the opposite one held. */
function drag(event) {
  if (!save || event.button) return;
  event.preventDefault();
  const corner = event.target.dataset.corner ?? "";
  const scale = photo.width / $("frame").clientWidth; // photo's pixels in one of the screen
  const from = { ...crop, left: event.clientX, top: event.clientY };
  const box = $("box");
  box.setPointerCapture(event.pointerId);
  const move = ({ clientX, clientY }) => {
    const dx = (clientX - from.left) * scale;
    const dy = (clientY - from.top) * scale;
    if (!corner) {
      crop = from;
      moved(dx, dy);
      return;
    }
    resize(from, corner, dx, dy);
  };
  const end = () => {
    box.removeEventListener("pointermove", move);
    box.removeEventListener("pointerup", end);
    box.removeEventListener("pointercancel", end);
  };
  box.addEventListener("pointermove", move);
  box.addEventListener("pointerup", end);
  box.addEventListener("pointercancel", end);
}

function resize(from, corner, dx, dy) {
  const [west, north] = [corner.includes("w"), corner.includes("n")];
  const aspect = photo.bucket.width / photo.bucket.height;
  // The edge that was pulled further says how wide it gets.
  const wide = from.width + (west ? -dx : dx);
  const high = (from.height + (north ? -dy : dy)) * aspect;
  const fixed = { x: west ? from.x + from.width : from.x, y: north ? from.y + from.height : from.y };
  const room = Math.min(west ? fixed.x : photo.width - fixed.x,
    (north ? fixed.y : photo.height - fixed.y) * aspect);
  const { width, height } = around(0, 0, Math.min(room, Math.max(wide, high)));
  const x = Math.max(0, west ? fixed.x - width : fixed.x);
  const y = Math.max(0, north ? fixed.y - height : fixed.y);
  set({ x: Math.min(x, photo.width - width), y: Math.min(y, photo.height - height), width, height });
}

$("box").addEventListener("pointerdown", drag);
$("crop-save").addEventListener("click", accept);
$("crop-cancel").addEventListener("click", () => { leave(); tell("The crop stays as it was."); });
