// What stands around the pages: the drawer that the sidebar is on narrow windows, and the link of what is shown.

const root = document.documentElement;
const NARROW = matchMedia('(max-width: 1100px)');
const COPIED_MS = 2000;
const sidebar = () => document.querySelector('[data-testid="stSidebar"]');
let opener;

function open(by) {
  opener = by;
  if (by.dataset.opens === 'upload' && !NARROW.matches) {
    document.querySelector('[data-testid="stExpandSidebarButton"]')?.click();
    toUpload();
    return;
  }
  root.dataset.sidebar = 'open';
  if (by.dataset.opens === 'upload') {
    // What is not shown yet takes no focus.
    requestAnimationFrame(() => requestAnimationFrame(toUpload));
    return;
  }
  const list = by.dataset.opens === 'runs' && sidebar()?.querySelector('.runs');
  if (list) list.scrollIntoView();
  else sidebar()?.querySelector('[data-testid="stSidebarContent"]')?.scrollTo(0, 0);
  const controls = (list || sidebar())?.querySelectorAll('a, button:not(:disabled), input:not(:disabled)') ?? [];
  [...controls].find(control => control.getClientRects().length)?.focus({ preventScroll: true });
}

// The place where runs are uploaded, which is the last of the sidebar.
function toUpload() {
  const place = document.querySelector('.st-key-upload');
  place?.querySelector('button')?.focus({ preventScroll: true });
  // Lines of the list get their height when they are first shown, and push it on.
  const scroll = frames => {
    place?.scrollIntoView({ block: 'center' });
    if (frames) requestAnimationFrame(() => scroll(frames - 1));
  };
  scroll(6);
}

function close() {
  if (root.dataset.sidebar !== 'open') return;
  delete root.dataset.sidebar;
  // Where there are two ways to open it, one of them is shown.
  opener?.focus({ preventScroll: true });
}

// The link of what is shown, or a text that stands on the page: `data-copies` names it, `data-copied` is on it.
async function copy(button) {
  const named = button.dataset.copies;
  const copied = named ? document.querySelector(`[data-copied="${named}"]`)?.textContent ?? '' : location.href;
  let done = true;
  try {
    await navigator.clipboard.writeText(copied);
  } catch {
    done = copyByHand(copied); // without TLS there is no clipboard
  }
  const text = button.querySelector('span');
  const before = text.dataset.text ??= text.textContent;
  text.textContent = done ? ['Copied', button.dataset.without].filter(Boolean).join(' ') : named ? 'Not copied' : 'Copy it from the address bar';
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { text.textContent = before; }, COPIED_MS);
}

function copyByHand(text) {
  const field = document.createElement('textarea');
  const focused = document.activeElement;
  field.value = text;
  field.style.position = 'fixed';
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  focused?.focus({ preventScroll: true });
  return done;
}

// To another page and to a place there is one step of the history: what the charts change of the link on arrival takes the
// place of what the menu put there, until somebody does something else.
function asOneStep() {
  let pushed = 0;
  history.pushState = (...entry) => History.prototype[pushed++ ? 'replaceState' : 'pushState'].apply(history, entry);
  const restore = () => {
    delete history.pushState;
    ['pointerdown', 'keydown'].forEach(kind => document.removeEventListener(kind, restore, true));
  };
  ['pointerdown', 'keydown'].forEach(kind => document.addEventListener(kind, restore, true));
}

// What names a step of a metric leads to its place in the charts: where they stand on another page, by its link.
function lead(event, { step, metric }) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  (window.runoffArrival ??= {}).goal = { step: Number(step), metric };
  if (document.querySelector('.runoff-component')) document.dispatchEvent(new Event('runoff-arrival'));
  else {
    const page = document.querySelector('.st-key-menu a');
    if (!page) return;
    asOneStep();
    page.click();
  }
  event.target.closest('[popover]')?.hidePopover();
  event.preventDefault();
}

// A line of the verdict that was cut is read whole, and cut again.
function unfold(event) {
  const line = event.target.closest?.('.verdict dd');
  if (!line || event.target.closest('button')) return;
  const isWhole = 'whole' in line.dataset;
  if (isWhole || line.scrollHeight > line.clientHeight + 1) line.toggleAttribute('data-whole', !isWhole);
}

document.addEventListener('click', event => {
  unfold(event);
  const named = event.target.closest?.('[data-step]');
  if (named) lead(event, named.dataset);
  const button = event.target.closest?.('button');
  if (button?.dataset.presses) {
    // A dialog stands beside the app's root, which alone knows the theme.
    document.body.style.colorScheme = getComputedStyle(document.querySelector('.stApp')).colorScheme;
    presser = button;
    document.querySelector(`.st-key-${button.dataset.presses} button`)?.click();
  } else if (button?.dataset.opens) {
    if (root.dataset.sidebar === 'open') close();
    else open(button);
  } else if (button && ('copiesLink' in button.dataset || 'copies' in button.dataset)) {
    copy(button);
  } else if (root.dataset.sidebar === 'open') {
    // Beside the drawer, or a link of the menu.
    const inside = sidebar()?.contains(event.target);
    if (event.target.isConnected && (!inside || event.target.closest('a, [data-closes]'))) close();
  }
});
document.addEventListener('keydown', event => {
  if (event.key === 'Enter') unfold(event);
  if (event.key === 'Escape' && !event.target.closest?.('.runs-search')) close();
});
NARROW.addEventListener('change', close);

// A dialog may be taken away and made anew when its page is drawn again: whoever was at work in it goes on where they were.
const DIALOG = '[data-testid="stDialog"]';
const FOUND_MS = 3000;
let left, presser;

function placeOf(element, dialog) {
  const { tagName } = element, key = element.closest('[class*="st-key-"]')?.className.match(/st-key-\S+/)[0];
  const said = element.ariaLabel ?? element.textContent;
  const at = [...dialog.querySelectorAll(tagName)].indexOf(element);
  return { tagName, key, said, at };
}

function inPlace({ tagName, key, said, at }, dialog) {
  const all = [...dialog.querySelectorAll(tagName)];
  const found = all.find(each => (each.ariaLabel ?? each.textContent) === said && (!key || each.closest(`.${key}`)));
  return found ?? (key ? dialog.querySelector(`.${key} ${tagName}`) : all[at]);
}

function comeBack(dialog, until) {
  if (!dialog.isConnected) return;
  const wanted = left && inPlace(left, dialog);
  if (wanted) wanted.focus();
  else if (!dialog.contains(document.activeElement)) dialog.querySelector('[role="dialog"]')?.focus();
  if (left && document.activeElement !== wanted && performance.now() < until)
    requestAnimationFrame(() => comeBack(dialog, until));
}

document.addEventListener('focusin', ({ target }) => {
  const dialog = target.closest(DIALOG);
  if (dialog && target.role !== 'dialog') left = placeOf(target, dialog);
});
// Who leaves it, or opens it anew, begins at its beginning.
document.addEventListener('keydown', event => { if (event.key === 'Escape') left = undefined; }, true);
document.addEventListener('pointerdown', ({ target }) => {
  if (!target.closest(`${DIALOG} [role="dialog"]`) || target.closest('[aria-label="Close"]')) left = undefined;
}, true);
new MutationObserver(changes => {
  const within = kind => changes.flatMap(change => [...change[kind]]).filter(node => node.nodeType === Node.ELEMENT_NODE)
    .map(node => (node.matches(DIALOG) ? node : node.querySelector(DIALOG))).find(Boolean);
  const dialog = within('addedNodes');
  if (dialog) requestAnimationFrame(() => comeBack(dialog, performance.now() + FOUND_MS));
  else if (within('removedNodes') && !left)
    setTimeout(() => { if (document.activeElement === document.body) presser?.focus({ preventScroll: true }); });
}).observe(document.body, { childList: true });

// A browser may keep the page as it is while somebody goes elsewhere, and show it at once when they come back: without
// a connection, and though they have signed out meanwhile.
addEventListener('pagehide', event => { if (event.persisted) root.style.visibility = 'hidden'; });
addEventListener('pageshow', event => { if (event.persisted) location.reload(); });
