// What stands around the charts, beside the toolbar (toolbar.js): the panel of the pinned step, the choice of further metrics.

export function add(parent, tag, name, words) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (words !== undefined) element.textContent = words;
  return parent.appendChild(element);
}

// The mark of a run beside its name (lib/ui/frame/look.py).
export function mark(parent, slot) {
  const found = add(parent, 'i', `run-mark slot-${slot}`);
  found.setAttribute('aria-hidden', 'true');
  return found;
}

const ICONS = {
  reset: 'M3 8a5 5 0 1 0 1.7-3.8M3 2.5V5h2.6', download: 'M8 2v8m-3-3 3 3 3-3M3 13.5h10',
  help: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM6.3 6.3a1.8 1.8 0 1 1 2.4 2c-.5.2-.7.5-.7 1M8 11.4v0',
  close: 'm4 4 8 8M12 4l-8 8', left: 'M10 4 6 8l4 4', right: 'm6 4 4 4-4 4',
};

export function iconButton(parent, icon, label, press) {
  const button = add(parent, 'button', 'runoff-icon');
  button.type = 'button';
  button.title = label;
  button.setAttribute('aria-label', label);
  button.innerHTML = `<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
  if (press) button.onclick = press;
  return button;
}

const LEAST_HEIGHT = 260; // a box with less room below its button opens above it
let popovers = 0;

// A button and what opens below it.
export function popover(button, parent, name) {
  const box = add(parent, 'div', `runoff-popover ${name}`);
  box.id = `runoff-popover-${++popovers}`;
  box.popover = 'auto';
  button.setAttribute('popovertarget', box.id);
  button.popoverTargetElement = box;
  box.addEventListener('beforetoggle', () => {
    const { left, top, bottom, right } = button.getBoundingClientRect(), below = innerHeight - bottom - 12;
    const isBelow = below >= Math.min(LEAST_HEIGHT, top);
    Object.assign(box.style, isBelow ? { top: `${bottom + 4}px`, bottom: 'auto' } : { top: 'auto', bottom: `${innerHeight - top + 4}px` });
    box.style.maxHeight = `${isBelow ? below : top - 12}px`;
    if (left > innerWidth / 2) Object.assign(box.style, { right: `${Math.max(8, document.documentElement.clientWidth - right)}px`, left: 'auto' });
    else Object.assign(box.style, { left: `${left}px`, right: 'auto' });
  });
  return box;
}

// What every run has at the pinned step, beside the charts.
export class Panel {
  constructor(parent, change) {
    this.change = change;
    this.box = add(parent, 'aside', 'runoff-panel');
    this.box.hidden = true;
    this.box.setAttribute('aria-label', 'The pinned step');
    this.box.onkeydown = event => {
      if (event.key === 'Escape') this.change({ pin: null });
    };
  }

  get isOpen() {
    return !this.box.hidden;
  }

  show(pinned, names) {
    const key = JSON.stringify([pinned, [...names]]);
    if (key === this.shown) return;
    this.shown = key;
    const focused = this.box.contains(document.activeElement) ? document.activeElement.title : undefined;
    const isOpen = this.box.querySelector('details')?.open;
    this.box.replaceChildren();
    this.box.hidden = !pinned;
    if (!pinned) return;
    const head = add(this.box, 'header');
    add(head, 'b', '', pinned.title).setAttribute('role', 'status');
    add(head, 'span', 'runoff-space');
    for (const [icon, label, to] of [['left', 'Previous evaluation', pinned.previous], ['right', 'Next evaluation', pinned.next]])
      iconButton(head, icon, label, () => this.change({ pin: [String(to)] })).disabled = to === null;
    iconButton(head, 'close', 'Unpin', () => this.change({ pin: null }));
    if (pinned.rows.length && pinned.columns.length) {
      const table = add(this.box, 'table'), heads = add(add(table, 'thead'), 'tr'), body = add(table, 'tbody');
      for (const words of ['Run', ...pinned.columns]) add(heads, 'th', '', words).scope = 'col';
      for (const { slot, cells, best } of pinned.rows) {
        const row = add(body, 'tr');
        row.dataset.run = slot;
        this.name(add(row, 'th'), slot, names).scope = 'row';
        cells.forEach((words, at) => { add(row, 'td', best[at] ? 'best' : '', words); });
      }
    }
    add(this.box, 'p', 'runoff-muted', pinned.note);
    if (pinned.all.length) this.everything(pinned.all, names).open = Boolean(isOpen);
    if (focused) [...this.box.querySelectorAll('button')].find(button => button.title === focused)?.focus();
  }

  name(cell, slot, names) {
    mark(cell, slot);
    cell.append(names.get(slot)?.short ?? '');
    cell.title = names.get(slot)?.label ?? '';
    return cell;
  }

  everything(all, names) {
    const details = add(this.box, 'details');
    add(details, 'summary', '', 'All metrics here');
    for (const { title, values } of all) {
      const table = add(details, 'table'), body = add(table, 'tbody');
      add(table, 'caption', '', title);
      for (const [slot, words] of values) {
        const row = add(body, 'tr');
        row.dataset.run = slot;
        this.name(add(row, 'th'), slot, names).scope = 'row';
        add(row, 'td', '', words);
      }
    }
    return details;
  }
}

const FEW = 8; // so many can be seen at once, and need not be looked for

// The metrics that have no chart until one is chosen.
export class Further {
  constructor(parent, change) {
    this.change = change;
    this.box = add(parent, 'section', 'runoff-card runoff-further');
    this.box.setAttribute('aria-label', 'Further metrics');
  }

  show(groups) {
    const key = JSON.stringify(groups);
    if (key === this.shown) return;
    this.shown = key;
    this.box.hidden = !groups.length;
    const focused = this.box.contains(document.activeElement) ? document.activeElement.textContent : undefined;
    this.box.replaceChildren();
    add(this.box, 'h2', '', 'Further metrics');
    const every = groups.flatMap(group => group.metrics), chosen = every.filter(metric => metric.chosen).map(metric => metric.key);
    const toggle = ({ key: metric, chosen: isChosen }) => this.change({ metric: isChosen ? chosen.filter(each => each !== metric) : [...chosen, metric] });
    const chips = add(this.box, 'div', 'runoff-chips');
    const chip = (parent, metric) => {
      const button = add(parent, 'button', 'runoff-chip', `${metric.chosen ? '✓' : '+'} ${metric.title}`);
      button.type = 'button';
      button.title = metric.title;
      button.setAttribute('aria-pressed', metric.chosen);
      button.onclick = () => toggle(metric);
    };
    if (every.length > FEW) this.search(chips, every, toggle);
    for (const { title, metrics } of groups) {
      if (!title) {
        for (const metric of metrics) chip(chips, metric);
        continue;
      }
      for (const metric of metrics) if (metric.chosen) chip(chips, metric);
      const button = add(chips, 'button', 'runoff-chip', `${title} (${metrics.length}) ▾`);
      button.type = 'button';
      const list = popover(button, this.box, 'runoff-menu');
      for (const metric of metrics) chip(list, { ...metric, title: metric.title.split(' / ').at(-1) });
    }
    if (focused) [...this.box.querySelectorAll('.runoff-chips > button')].find(button => button.textContent.slice(1) === focused.slice(1))?.focus();
  }

  // A word that is typed adds the first metric that has it, not all of them.
  search(parent, every, toggle) {
    const field = add(parent, 'input'), list = add(parent, 'datalist');
    list.id = 'runoff-metrics';
    for (const metric of every) add(list, 'option').value = metric.title;
    Object.assign(field, { type: 'search', placeholder: 'Find a metric' });
    field.setAttribute('list', list.id);
    field.setAttribute('aria-label', 'Find a metric; Enter adds its chart');
    const folded = text => text.normalize('NFKC').trim().toLowerCase();
    field.onchange = () => {
      const wanted = folded(field.value), left = every.filter(metric => !metric.chosen);
      const found = wanted && (left.find(({ title }) => folded(title) === wanted) ?? left.find(({ title }) => folded(title).includes(wanted)));
      field.value = '';
      if (found) toggle(found);
    };
  }
}
