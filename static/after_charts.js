// What comes after the charts, since it takes the browser long: the summary table. Its grid stands in a frame of its
// own; a run that is brought out on the page is brought out there too, and the other way round.

const beside = name => new URL(name + new URL(import.meta.url).search, import.meta.url);
const { watch, onChange, hover, shown } = await import(beside('highlight.js'));

const NAME = 'Table of the selected runs';
const LOOK_MS = 50; // how often to look for what is not there yet
const narrow = matchMedia('(max-width: 640px)'); // no room for a table
const idle = window.requestIdleCallback ?? (then => setTimeout(then, 100));
const watched = new WeakSet();
let grid; // the document in the grid's frame

const slotOf = event => {
  const row = event.target.closest?.('.ag-row');
  const slot = row && /(?:^|\s)slot-(\d+)/.exec(row.className);
  return slot ? Number(slot[1]) : undefined;
};

function bringOut(slot) {
  if (!grid) return;
  if (slot === undefined) delete grid.documentElement.dataset.runShown;
  else grid.documentElement.dataset.runShown = slot;
}

onChange(bringOut);

// The grid is one stop: arrows go from cell to cell, Tab leaves. Its own option for that is a function, which cannot come
// from the server; so the grid does not see the key, and its guards, which would take the focus back in, step aside.
function leaveByTab(event) {
  if (event.key !== 'Tab') return;
  event.stopPropagation();
  const stops = [...grid.querySelectorAll('.ag-root-wrapper [tabindex="0"]')].filter(each => each !== event.target);
  stops.forEach(stop => { stop.tabIndex = -1; });
  setTimeout(() => stops.forEach(stop => { stop.tabIndex = 0; }));
}

// Whether there is a grid, and it is watched.
function found() {
  const frame = document.querySelector('.st-key-summary_card iframe');
  const inside = frame?.contentDocument;
  if (!inside?.querySelector('.ag-root')) return false;
  grid = inside;
  frame.title = NAME;
  if (!watched.has(inside)) {
    watched.add(inside);
    const place = inside.getElementById('root');
    place?.setAttribute('role', 'region');
    place?.setAttribute('aria-label', NAME);
    watch(inside, slotOf);
    inside.addEventListener('focusin', event => hover(slotOf(event)));
    inside.addEventListener('focusout', () => hover(undefined));
    inside.addEventListener('keydown', leaveByTab, true);
  }
  bringOut(shown());
  return true;
}

// Says by which the runs are shown, a grid or cards, once the charts are drawn; and when the window becomes another.
export function draw({ data, setStateValue }) {
  const start = performance.now();
  let timer;
  const kind = () => (narrow.matches ? 'cards' : 'grid');
  const say = () => { if (kind() !== data.drawn) setStateValue('drawn', kind()); };
  const look = () => idle(() => {
    const charts = document.querySelectorAll(data.canvases).length;
    if (charts >= data.charts || performance.now() - start > data.wait) say();
    else timer = setTimeout(look, LOOK_MS);
  });
  const find = () => { if (!found()) timer = setTimeout(find, LOOK_MS); };
  if (!data.drawn) look();
  else {
    say();
    if (data.drawn === 'grid') find();
    narrow.addEventListener('change', say);
  }
  return () => {
    clearTimeout(timer);
    narrow.removeEventListener('change', say);
  };
}
