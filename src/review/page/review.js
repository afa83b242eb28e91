// The page of `likeness curate review`: which photo is shown, and what keys and
// buttons do.

import { decide, load, store, undo } from "./store.js";
import * as crop from "./crop.js";
import { $, counts, el, full, panel, point, restrip, said, strip, tell } from "./view.js";

const WHYS = ["not this person", "blurred", "bad light", "face covered", "odd expression", "too alike", "heavy filter"];
const LOOK_AGAIN = 10_000; // milliseconds between looks for what others decided
const SWIPE = 48; // pixels

let show = "all";
let list = []; // ids of the photos that are shown
let current = null; // id of the photo on the stage
let dropping = null; // the photo that the question why is about
let turn = Promise.resolve(); // what was asked for is done one after another

const byId = (id) => store.photos.find((photo) => photo.id === id);
const editing = () => !$("editor").hidden;

/** Makes the list anew; `current` stays, or the next one takes its place. */
function relist() {
  const words = $("filter").value.trim().toLowerCase();
  const text = (photo) => [photo.path, photo.caption ?? "",
    ...photo.reasons.map((reason) => `${reason.rule} ${reason.message}`)].join("\n").toLowerCase();
  const at = Math.max(0, list.indexOf(current));
  list = store.photos
    .filter((photo) => (show === "all" || photo.verdict === show) && text(photo).includes(words))
    .map((photo) => photo.id);
  if (!list.includes(current)) current = list[Math.min(at, list.length - 1)] ?? null;
  strip(list.map(byId), go);
  counts();
  render();
}

/** Shows the current photo and what is known of it. */
function render() {
  const photo = current === null ? null : byId(current);
  const at = list.indexOf(current);
  closeEditor();
  panel(photo, `${at + 1} of ${list.length}`);
  $("frame").hidden = !photo?.crop;
  $("empty").hidden = Boolean(photo?.crop);
  $("empty").textContent = photo ? "This file cannot be shown." :
    store.photos.length ? "No photo is like that. Esc shows all." : "The dataset has no photos.";
  document.title = photo ? `${photo.path} - likeness review` : "likeness review";
  if (photo?.crop) {
    $("picture").replaceChildren(full(photo));
    crop.show(photo);
    fit();
    [at + 1, at - 1].map((near) => list[near] && byId(list[near]))
      .filter((near) => near?.crop).forEach(full);
  } else {
    crop.leave();
  }
  point(current);
}

/** Makes the photo as large as the stage allows, at most three times its pixels. */
function fit() {
  const photo = current === null ? null : byId(current);
  if (!photo?.crop) return;
  const room = $("stage").getBoundingClientRect();
  const below = crop.cropping() ? $("crop-bar").offsetHeight + 12 : 0;
  const [wide, high] = [room.width - 24, room.height - 24 - below];
  const scale = Math.min(wide / photo.width, high / photo.height, 3);
  const [width, height] = [photo.width * scale, photo.height * scale];
  Object.assign($("frame").style, {
    width: `${width}px`, height: `${height}px`,
    left: `${12 + (wide - width) / 2}px`, top: `${12 + (high - height) / 2}px`,
  });
}

function go(id) {
  if (id === undefined || id === null || id === current) return;
  current = id;
  render();
}

const step = (by) => go(list[list.indexOf(current) + by]);

/** Does something after all that was asked for before, and tells what was refused. */
function inTurn(does) {
  turn = turn.then(async () => {
    document.body.ariaBusy = "true";
    try {
      await does();
    } catch (error) {
      if (error.status === 404 || error.status === 409) await load().then(relist, () => {});
      tell(error.message, true);
    } finally {
      document.body.ariaBusy = "false";
    }
  });
}

/** Decides on a photo. */
async function say(photo, decision) {
  await decide(photo.sha256, decision);
  tell(said({ sha256: photo.sha256, ...decision }));
}

/** Gives the photo a verdict and goes on to the next. */
async function verdict(photo, which, reason = "") {
  if (!photo?.crop) return;
  const next = list[list.indexOf(photo.id) + 1];
  await say(photo, { verdict: which, reason });
  if (next !== undefined && current === photo.id) current = next;
  if (show === "all" && !$("filter").value) {
    restrip(byId(photo.id));
    counts();
    render();
  } else {
    relist();
  }
}

async function back() {
  const changed = await undo();
  if (!changed) return tell("Nothing was decided yet.");
  const photo = store.photos.find((photo) => photo.sha256 === changed.decision.sha256);
  if (photo && !list.includes(photo.id)) {
    show = "all";
    $("filter").value = "";
    tabs();
  }
  if (photo) current = photo.id;
  relist();
  tell(changed.caption_stays
    ? "Undone, but the caption was changed since and stays."
    : `Undone: ${said(changed.decision)}`);
}

function openEditor() {
  const photo = byId(current);
  if (!photo?.crop) return;
  $("words").value = photo.caption ?? "";
  $("caption").hidden = true;
  $("editor").hidden = false;
  $("words").focus();
}

function closeEditor() {
  $("editor").hidden = true;
  $("caption").hidden = false;
}

function saveWords() {
  const photo = byId(current);
  const [caption, was] = [$("words").value.trim(), photo.caption ?? ""];
  if (caption === was) return closeEditor();
  inTurn(async () => {
    try {
      await say(photo, { caption, caption_was: was });
    } catch (error) {
      if (error.status !== 409) throw error;
      return keepWords(photo.id, error.message);
    }
    relist();
  });
}

/** Someone changed the caption meanwhile: shows theirs beside what was written here. */
async function keepWords(id, why) {
  await load();
  counts();
  const photo = byId(id);
  if (!photo) return relist();
  $("caption-note").hidden = false;
  $("caption-note").textContent = `Now it is: ${photo.caption ?? ""}`;
  tell(why, true);
}

function openCrop() {
  const photo = byId(current);
  if (!photo?.crop) return;
  crop.choose((chosen) => inTurn(async () => {
    await say(photo, { crop: chosen });
    counts();
    render();
  }));
  fit();
}

function openWhy() {
  const photo = byId(current);
  if (!photo?.crop) return;
  dropping = photo;
  $("why-words").value = "";
  $("why").showModal();
  $("why-words").focus();
}

function drop(reason) {
  $("why").close();
  inTurn(() => verdict(dropping, "drop", reason));
}

function tabs() {
  document.querySelectorAll("[data-show]").forEach((tab) => {
    tab.ariaPressed = String(tab.dataset.show === show);
  });
}

function choose(which) {
  show = which;
  tabs();
  relist();
}

const KEYS = {
  ArrowLeft: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => step(-1), ArrowDown: () => step(1),
  Home: () => go(list[0]), End: () => go(list.at(-1)),
  k: () => verdict(byId(current), "keep"), r: () => verdict(byId(current), "review"), d: openWhy,
  e: openEditor, c: openCrop, u: back,
  "/": () => $("filter").select(), "?": () => $("help").showModal(),
  1: () => choose("all"), 2: () => choose("keep"), 3: () => choose("review"), 4: () => choose("drop"),
  Escape: () => { $("filter").value = ""; choose("all"); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") || event.target.matches("input, textarea")) return;
  if (crop.cropping()) {
    if (event.key === "Enter" && event.target.matches("button")) return;
    if (crop.key(event)) event.preventDefault();
    if (!crop.cropping()) fit();
    return;
  }
  const does = KEYS[event.key];
  if (does) event.preventDefault();
  if (does && (!event.repeat || event.key.startsWith("Arrow"))) inTurn(does);
});

$("words").addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter") { event.preventDefault(); saveWords(); }
  if (event.key === "Escape") { event.preventDefault(); closeEditor(); }
});
$("filter").addEventListener("input", relist);
$("filter").addEventListener("keydown", (event) => {
  if (event.key === "Escape") $("filter").value = "";
  if (event.key === "Escape" || event.key === "Enter") {
    event.preventDefault();
    $("filter").blur();
    relist();
  }
});
$("why-words").addEventListener("keydown", (event) => {
  const given = $("why-words").value === "" && WHYS[Number(event.key) - 1];
  if (given || event.key === "Enter") {
    event.preventDefault();
    drop(given || $("why-words").value.trim());
  }
});
WHYS.forEach((why, index) => {
  const button = el("button", {}, `${why} `, el("kbd", { textContent: index + 1 }));
  button.addEventListener("click", () => drop(why));
  $("whys").append(button);
});

const clicks = {
  undo: () => inTurn(back), keys: () => $("help").showModal(), edit: () => inTurn(openEditor), crop: () => inTurn(openCrop),
  "words-save": saveWords, "words-cancel": closeEditor,
  "why-drop": () => drop($("why-words").value.trim()), "why-cancel": () => $("why").close(),
  "help-close": () => $("help").close(), "crop-cancel": () => fit(),
};
Object.entries(clicks).forEach(([id, does]) => $(id).addEventListener("click", () => does()));
document.querySelectorAll("[data-show]").forEach((tab) =>
  tab.addEventListener("click", () => choose(tab.dataset.show)));
document.querySelectorAll("[data-verdict]").forEach((button) => button.addEventListener("click", () =>
  inTurn(() =>
  button.dataset.verdict === "drop" ? openWhy() : verdict(byId(current), button.dataset.verdict))));

let touched = null;
$("stage").addEventListener("pointerdown", (event) => {
  touched = event.pointerType === "touch" && !crop.cropping() ? event : null;
});
$("stage").addEventListener("pointerup", (event) => {
  const by = touched ? event.clientX - touched.clientX : 0;
  if (Math.abs(by) > SWIPE) step(by < 0 ? 1 : -1);
  touched = null;
});
new ResizeObserver(fit).observe($("stage"));

/** Looks whether another window decided, or the photos were curated again. */
function lookAgain() {
  const writing = editing() || crop.cropping() || document.querySelector("dialog[open]");
  if (!document.hidden && !writing) inTurn(async () => { if (await load()) relist(); });
}
addEventListener("focus", lookAgain);
setInterval(lookAgain, LOOK_AGAIN);

inTurn(async () => {
  await load();
  relist();
  if (store.copies) tell(`${store.copies} copies of the same files are left out`);
  document.body.dataset.ready = "yes";
});
