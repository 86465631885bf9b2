// The list of runs: native check boxes that react at once. What is asked for is sent as all that the server has not
// answered yet, so no click is lost, however fast they come. What arrives is described in lib/ui/frame/sidebar.py.

const beside = name => new URL(name + new URL(import.meta.url).search, import.meta.url);
const highlighting = import(beside('highlight.js')); // whatever carries data-run is hovered and held by it

const LONGEST_NAME = 120;
const TYPING_MS = 300;
const TIP_MS = 450;
const SETTLE_MS = 1500; // so long a pointer rests in the list before runs go where they belong
const MOVED_PX = 4; // a pointer that moved less still means what it lay on,
const UNSEEN_MS = 700; // until somebody can have seen what lies there now
const lists = new Map(); // by the element that Streamlit gives

export function draw({ data, parentElement, setTriggerValue }) {
  let list = lists.get(parentElement);
  if (!list) lists.set(parentElement, list = new RunList(parentElement));
  list.send = value => setTriggerValue('asked', value);
  list.show(JSON.parse(new TextDecoder().decode(data)));
  const turn = list.drawn = {};
  return () => {
    // Streamlit ends a call that another one has overtaken, but both share the list.
    if (list.drawn !== turn) return;
    list.remove();
    lists.delete(parentElement);
  };
}

const SVG = 'http://www.w3.org/2000/svg';
const ICONS = {
  find: 'M11 6.500a4.500 4.500 0 1 1-9 0a4.500 4.500 0 1 1 9 0M10 10l4 4',
  sort: 'M4 2v11M1.500 10.500L4 13l2.500-2.500M8.500 3.500h6M8.500 7.500h4.500M8.500 11.500h3',
  again: 'M13.500 8a5.500 5.500 0 1 1-1.600-3.900M13.500 2v3h-3',
  open: 'M1 1l4 4 4-4',
};

class RunList {
  constructor(parent) {
    this.rows = new Map();
    this.pending = {};
    this.top = [];
    this.others = [];
    this.root = add(parent, 'section', 'runs');
    this.root.setAttribute('aria-label', 'Runs');

    this.head = add(this.root, 'div', 'runs-head');
    add(this.head, 'strong', '', 'Selected');
    this.many = add(this.head, 'span', 'runs-many');
    this.clear = button(this.head, 'runs-link', 'Clear', () => this.ask({ clear: true, picks: [] }));
    this.topValue = add(this.head, 'span', 'runs-value');
    this.shared = add(this.root, 'p', 'runs-note');
    this.topList = add(this.root, 'ul', 'runs-selected');
    this.topList.setAttribute('aria-label', 'Selected runs, best first');

    const find = add(this.root, 'div', 'runs-find');
    const field = add(find, 'label', 'runs-search');
    icon(field, 'find');
    this.search = add(field, 'input');
    Object.assign(this.search, { type: 'search', placeholder: 'Find a run', autocomplete: 'off', spellcheck: false });
    this.search.setAttribute('aria-label', 'Find a run by name, dataset, base model or id');
    this.search.addEventListener('input', () => {
      clearTimeout(this.typing);
      this.pending.search = this.search.value;
      this.typing = setTimeout(() => { this.typing = undefined; this.ask({}); }, TYPING_MS);
    });
    this.status = choice(find, 'Status', value => this.ask({ status: value }));
    icon(this.status.closest('label'), 'open', 10, 6);
    this.sort = choice(find, 'Order', value => this.ask({ sort: value }));
    icon(this.sort.closest('label'), 'sort');

    const line = add(this.root, 'div', 'runs-head');
    this.count = add(line, 'span', 'runs-note');
    const again = this.again = button(line, 'runs-again', '', () => this.ask({ refresh: true }));
    icon(again, 'again');
    again.setAttribute('aria-label', 'Read the runs again');
    again.title = 'Read the runs again';
    this.otherValue = add(line, 'span', 'runs-value');
    this.looking = add(this.root, 'p', 'runs-note');
    this.tooMany = add(this.root, 'p', 'runs-note');
    this.nothing = add(this.root, 'p', 'runs-note');
    this.otherList = add(this.root, 'ul', 'runs-others');
    this.otherList.setAttribute('aria-label', 'Other runs');
    this.more = button(this.root, 'runs-more', '', () => this.ask({ limit: this.data.limit + this.data.more }));
    this.beyond = add(this.root, 'p', 'runs-note');
    this.unreadable = add(this.root, 'details', 'runs-unreadable');
    this.unused = add(this.root, 'details', 'runs-unused');
    // The drawer that the sidebar is on narrow windows closes with it (frame.js).
    button(this.root, 'runs-done', 'Done', () => {}).dataset.closes = '';
    this.live = add(this.root, 'p', 'runs-live');
    this.live.setAttribute('aria-live', 'polite');
    this.tip = new Tip(this.root, id => this.rows.get(id).details);

    this.root.addEventListener('change', event => {
      const row = event.target.closest('li');
      if (row) this.toggle(row.dataset.id, event.target);
    });
    this.root.addEventListener('pointerenter', event => { this.inside = event.pointerType === 'mouse'; this.follow(event); });
    this.root.addEventListener('pointermove', event => this.follow(event));
    this.root.addEventListener('pointerleave', () => { this.inside = false; this.moved = undefined; this.release(); });
    this.root.addEventListener('click', event => this.guard(event), { capture: true });
    this.root.addEventListener('focusout', () => setTimeout(() => this.release()));
  }

  remove() {
    clearTimeout(this.typing);
    clearTimeout(this.settling);
    document.documentElement.removeAttribute('data-picks');
    this.root.remove();
  }

  show(data) {
    const before = this.data;
    this.data = data;
    this.turn = Math.max(this.turn ?? 0, data.turn);
    if (data.turn === this.turn && !this.typing) this.pending = {};
    if (before?.verdict && data.verdict && data.verdict !== before.verdict)
      this.live.textContent = `Verdict changed: ${data.verdict}`;
    this.render();
  }

  // Ask the server for something, and for all that it has not answered yet.
  ask(what) {
    Object.assign(this.pending, what);
    clearTimeout(this.typing);
    this.typing = undefined;
    this.turn += 1;
    // What is listed is another list then: nothing is held in its place.
    if (!what.picks || what.clear) this.held = false;
    this.render();
    this.send({ ...this.pending, turn: this.turn });
  }

  toggle(id, box) {
    const picks = (this.pending.picks ?? []).filter(([other]) => other !== id);
    // Nothing moves below a pointer or a focus that is about to choose the next run.
    this.held ||= this.inside || box.matches(':focus-visible');
    this.settle();
    this.ask({ picks: [...picks, [id, box.checked]] });
  }

  // What is held goes where it belongs once the pointer has rested for a while.
  settle() {
    clearTimeout(this.settling);
    if (this.held) this.settling = setTimeout(() => this.release(true), SETTLE_MS);
  }

  release(rests = false) {
    if (!this.held || (this.inside && !rests) || this.root.querySelector('li input:focus-visible')) return;
    this.held = false;
    this.render();
  }

  follow({ pointerType, clientX, clientY }) {
    if (pointerType !== 'mouse') return;
    this.at = [clientX, clientY];
    if (this.moved && Math.hypot(clientX - this.moved[0], clientY - this.moved[1]) > MOVED_PX) this.moved = undefined;
    this.settle();
  }

  // Another run just came to lie below a pointer that did not move: its click was meant for the one before. Keys have
  // no place.
  guard(event) {
    const isUnseen = this.moved && event.timeStamp < this.movedAt + UNSEEN_MS;
    if (isUnseen && event.detail && event.target.closest('li')) event.preventDefault();
  }

  // The ids that are selected as far as the browser knows.
  get selected() {
    const ids = new Set(this.pending.clear ? [] : this.data.selected.map(run => run.id));
    for (const [id, on] of this.pending.picks ?? []) if (on) ids.add(id); else ids.delete(id);
    return ids;
  }

  render() {
    const { data, selected } = this, full = selected.size >= data.most;
    const runs = new Map([...data.others, ...data.selected].map(run => [run.id, run]));
    const top = data.selected.map(run => run.id), others = data.others.map(run => run.id);
    if (!this.held || !sameRuns([...this.top, ...this.others], runs)) {
      if (this.inside && `${[this.top, this.others]}` !== `${[top, others]}`) {
        this.moved = this.at;
        this.movedAt = performance.now();
      }
      Object.assign(this, { top, others });
    }
    document.documentElement.style.setProperty('--runs-count', `" (${selected.size})"`);

    const focused = document.activeElement;
    for (const [id, row] of this.rows) if (!runs.has(id)) { row.item.remove(); this.rows.delete(id); }
    const fill = (list, ids, shared) => {
      place(list, ids.map(id => this.row(id).item));
      for (const id of ids) this.rows.get(id).show(runs.get(id), shared, selected.has(id), full);
    };
    fill(this.topList, this.top, data.shared);
    fill(this.otherList, this.others, '');
    if (focused !== document.activeElement && this.root.contains(focused)) focused.focus({ preventScroll: true });

    set(this.many, `${selected.size} of ${data.most}`);
    set(this.topValue, this.top.length ? data.selectedValue : '');
    set(this.otherValue, this.others.length ? data.otherValue : '');
    set(this.shared, data.shared);
    set(this.tooMany, full ? data.tooMany : '');
    set(this.count, data.count);
    set(this.looking, data.looking);
    set(this.nothing, data.nothing);
    set(this.more, data.more ? `Show ${data.more} more` : '');
    set(this.beyond, data.beyond);
    this.clear.disabled = !selected.size;
    const { picks, refresh } = this.pending;
    document.documentElement.toggleAttribute('data-picks', Boolean(picks));
    this.again.classList.toggle('busy', Boolean(refresh));
    this.root.classList.toggle('none', !selected.size && !this.top.length);
    if (this.pending.search === undefined && this.search.value !== data.search) this.search.value = data.search;
    options(this.status, data.statuses, this.pending.status ?? data.status);
    options(this.sort, data.orders, this.pending.sort ?? data.sort);
    const { length } = data.unreadable;
    this.showFiles(this.unreadable, data.unreadable, `Could not read ${length} ${length === 1 ? 'file' : 'files'}`);
    this.showFiles(this.unused, data.unused, 'What else lies here');
    free(new Set(data.selected.filter(run => selected.has(run.id)).map(run => run.slot)));
  }

  row(id) {
    if (!this.rows.has(id)) this.rows.set(id, new Row(id));
    return this.rows.get(id);
  }

  showFiles(details, files, title) {
    details.hidden = !files.length;
    const key = JSON.stringify(files);
    if (key === details.dataset.files) return;
    details.dataset.files = key;
    details.replaceChildren();
    add(details, 'summary', '', title);
    for (const [path, reason] of files) {
      add(details, 'b', '', path);
      add(details, 'p', '', reason);
    }
  }
}

// One run. All of it is foreign text, and set as text.
class Row {
  constructor(id) {
    this.item = document.createElement('li');
    this.item.dataset.id = id;
    const label = add(this.item, 'label');
    this.box = add(label, 'input');
    this.box.type = 'checkbox';
    this.sign = add(label, 'i', 'run-mark');
    const text = add(label, 'span', 'runs-text');
    this.name = add(text, 'span', 'runs-name');
    this.star = add(text, 'span', 'runs-star');
    this.mark = add(text, 'span', 'run-uploaded');
    this.unusual = add(text, 'span', 'runs-unusual');
    this.value = add(label, 'span', 'runs-value');
  }

  show(run, shared, checked, full) {
    this.details = run.details;
    const slot = run.slot ?? '';
    if (slot === '') delete this.item.dataset.run;
    else this.item.dataset.run = slot;
    this.sign.className = slot === '' ? 'run-mark' : `run-mark slot-${slot}`;
    this.box.style.accentColor = slot === '' ? '' : `var(--run-${slot})`;
    this.box.checked = checked;
    this.box.disabled = full && !checked;
    this.item.classList.toggle('shut', this.box.disabled);
    this.box.setAttribute('aria-label', run.name);
    this.box.setAttribute('aria-description', [run.recommended && 'recommended', run.mark, run.unusual].filter(Boolean).join(', '));
    set(this.name, inLine(shared && run.name.startsWith(shared) ? run.name.slice(shared.length) : run.name));
    set(this.star, run.recommended ? '★' : '');
    set(this.mark, run.mark ?? '');
    set(this.unusual, inLine(run.unusual ?? ''));
    set(this.value, run.value);
  }
}

// What else is known of a run: beside the line that the pointer rests on, that has the focus, or that a finger holds.
class Tip {
  constructor(root, details) {
    this.details = details;
    this.box = add(root, 'div', 'runs-tip');
    Object.assign(this.box, { id: 'runs-tip', role: 'tooltip', popover: 'manual' });
    const rowOf = event => event.target.closest?.('li[data-id]');
    const focused = () => root.querySelector('li input:focus-visible')?.closest('li');
    const soon = (row, wait) => { clearTimeout(this.timer); this.timer = setTimeout(() => this.show(row), wait); };
    root.addEventListener('pointerover', event => {
      if (event.pointerType !== 'mouse') return;
      const row = rowOf(event);
      if (this.box.contains(event.target)) clearTimeout(this.timer);
      else if (row !== this.row) soon(row ?? focused(), row ? TIP_MS : 150);
    });
    root.addEventListener('pointerleave', () => soon(focused(), 150));
    root.addEventListener('focusin', event => { if (event.target.matches(':focus-visible')) soon(rowOf(event), TIP_MS); });
    root.addEventListener('focusout', () => soon(undefined, 0));
    root.addEventListener('contextmenu', event => {
      if (event.pointerType !== 'touch' || !rowOf(event)) return;
      event.preventDefault();
      this.show(rowOf(event));
    });
    root.addEventListener('pointerdown', event => { if (!this.box.contains(event.target)) soon(undefined, 0); });
    root.addEventListener('keydown', event => { if (event.key === 'Escape') this.show(undefined); });
  }

  show(row) {
    clearTimeout(this.timer);
    this.row?.querySelector('input').removeAttribute('aria-describedby');
    this.row = row?.isConnected ? row : undefined;
    if (!this.row) {
      if (this.box.matches(':popover-open')) this.box.hidePopover();
      return;
    }
    this.box.replaceChildren();
    for (const [title, text] of this.details(row.dataset.id)) {
      const line = add(this.box, 'p');
      if (title) add(line, 'b', '', `${title} `);
      line.append(text);
    }
    row.querySelector('input').setAttribute('aria-describedby', 'runs-tip');
    this.box.showPopover();
    const line = row.getBoundingClientRect(), { width, height } = this.box.getBoundingClientRect();
    const fits = line.right + 8 + width <= innerWidth;
    const top = fits ? line.top - 8 : line.bottom + height + 8 <= innerHeight ? line.bottom + 4 : line.top - height - 4;
    Object.assign(this.box.style, {
      left: `${Math.max(8, fits ? line.right + 8 : innerWidth - width - 8)}px`,
      top: `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`,
    });
  }
}

// A run that is taken out is not brought out any more.
async function free(slots) {
  const { shown, hover, hold } = await highlighting;
  if (shown() !== undefined && !slots.has(shown())) hover(undefined);
  if (shown() !== undefined && !slots.has(shown())) hold(shown());
}

const sameRuns = (ids, runs) => ids.length === runs.size && ids.every(id => runs.has(id));

// Put elements into a list in this order; those that stand where they belong are not touched.
function place(list, items) {
  let at = list.firstElementChild;
  for (const item of items) {
    if (item === at) at = at.nextElementSibling;
    else if (item.isConnected && list.moveBefore) list.moveBefore(item, at);
    else list.insertBefore(item, at);
  }
  // What is left belongs to the other list, which takes it.
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

// A native choice, drawn as a quiet button.
// A name, or what is said of it, as a line has it: what is longer than some four lines stands in full in the run's card.
function inLine(name) {
  const letters = [...name];
  if (letters.length <= LONGEST_NAME) return name;
  return `${letters.slice(0, LONGEST_NAME * 2 / 3).join('')}…${letters.slice(1 - LONGEST_NAME / 3).join('')}`;
}

function choice(parent, name, chosen) {
  const label = add(parent, 'label', `runs-choice ${name.toLowerCase()}`);
  add(label, 'span');
  const select = add(label, 'select');
  select.setAttribute('aria-label', name);
  select.addEventListener('change', () => chosen(select.value));
  return select;
}

function options(select, offered, value) {
  const key = JSON.stringify(offered);
  if (select.dataset.offered !== key) {
    select.dataset.offered = key;
    select.replaceChildren(...offered.map(([each, text]) => new Option(text, each)));
  }
  if (select.value !== value) select.value = value;
  const label = select.closest('label');
  label.title = `${select.getAttribute('aria-label')}: ${select.selectedOptions[0]?.text ?? ''}`;
  set(label.firstElementChild, (value || 'all').replace(/^./, first => first.toUpperCase()));
}

function button(parent, className, text, clicked) {
  const element = add(parent, 'button', className, text);
  element.type = 'button';
  element.addEventListener('click', clicked);
  return element;
}

function icon(parent, name, width = 16, height = 16) {
  const svg = document.createElementNS(SVG, 'svg'), path = document.createElementNS(SVG, 'path');
  const told = { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': true, fill: 'none' };
  const drawn = { d: ICONS[name], stroke: 'currentColor', 'stroke-width': 1.5, 'stroke-linecap': 'round' };
  for (const [element, attributes] of [[svg, told], [path, drawn]])
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  svg.append(path);
  parent.append(svg);
}

function add(parent, tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}
