// What the server knows, and how it is asked. Nothing is kept in the browser.

export const store = {
  trigger: "", className: "", revision: "", copies: 0, last: null,
  photos: [], // as the server tells them, each with an `id`
};

/** A request that was refused, with the server's reason. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(address, body) {
  const options = body === undefined ? {} :
    { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Refused(0, "the review has ended; start it again with `likeness curate review`");
  }
  const answer = await response.json();
  if (!response.ok) throw new Refused(response.status, answer.error);
  return answer;
}

const withId = (photo) => ({ ...photo, id: photo.sha256 || photo.path });

/** Reads everything that changed; tells whether something did. */
export async function load() {
  const state = await ask(`api/state?revision=${store.revision}`);
  if (state.unchanged) return false;
  Object.assign(store, {
    trigger: state.trigger, className: state.class_word, revision: state.revision,
    copies: state.copies, last: state.last, photos: state.photos.map(withId),
  });
  return true;
}

/** Takes over what a write changed; reads everything if others wrote, too. */
async function take(changed) {
  const seen = store.revision === changed.revision_before;
  Object.assign(store, { revision: seen ? changed.revision : "", last: changed.last });
  const at = store.photos.findIndex((photo) => photo.sha256 === changed.decision.sha256);
  if (at >= 0 && changed.photo) store.photos[at] = withId(changed.photo);
  if (!seen) await load();
}

/** Decides on the photo `sha256`: a verdict with a reason, a caption, or a crop. */
export async function decide(sha256, decision) {
  const changed = await ask("api/decision", { sha256, ...decision });
  await take(changed);
}

/** Takes the last decision back; gives what it was, or null. */
export async function undo() {
  const changed = await ask("api/undo", { revision: store.revision });
  if (changed) await take(changed);
  return changed;
}

export const picture = (photo, side) => `photo/${photo.sha256}?side=${side}`;
