// One run brought out, everywhere on the page: by hovering whatever carries `data-run`, the slot of a run.
// A click on it holds the run; another one, or Escape, frees it. What is not HTML (the charts' canvas) listens.

const root = document.documentElement;
let hovered, held;
const listeners = new Set();

// The slot of the run that is brought out, or undefined.
export const shown = () => hovered ?? held;

// Call `listener` with the slot, or undefined, whenever another run is brought out; gives what ends that.
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function hover(slot) {
  change(() => { hovered = slot; });
}

export function hold(slot) {
  change(() => { held = held === slot ? undefined : slot; });
}

function change(how) {
  const before = shown();
  how();
  if (held === undefined) delete root.dataset.runHeld;
  else root.dataset.runHeld = held;
  const now = shown();
  if (now === before) return;
  if (now === undefined) delete root.dataset.runShown;
  else root.dataset.runShown = now;
  for (const listener of listeners) listener(now);
}

const ofMarked = event => {
  const found = event.target.closest?.('[data-run]');
  return found ? Number(found.dataset.run) : undefined;
};

// Of the page, and of frames in it that show runs too, where `slotOf` says of an event which run it is on.
export function watch(target, slotOf = ofMarked) {
  target.addEventListener('pointerover', event => hover(slotOf(event)));
  target.addEventListener('pointerleave', () => hover(undefined));
  target.addEventListener('click', event => {
    const slot = slotOf(event);
    // What a click there does by itself, it does; only a place that does nothing else holds the run.
    if (slot !== undefined && !event.target.closest('button, a, input, label, summary, canvas')) hold(slot);
  });
  target.addEventListener('keydown', event => {
    if (event.key === 'Escape' && held !== undefined) hold(held);
  });
}

watch(document);
