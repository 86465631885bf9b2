// What stands around the charts: the toolbar, the panel of the pinned step, the choice of further metrics.

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
function popover(button, parent, name) {
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

const REST_MS = 150;
const plainNumber = words => Number(words.replaceAll(/[,\s]/g, ''));
const spoken = value => value.toLocaleString('en', { maximumSignificantDigits: 7 });

// One line above the charts. `change` takes texts by the name of a link's parameter, null for its default, and how long
// the server may wait to be told.
export class Toolbar {
  constructor(parent, { change, smooth, nearSlider, download }) {
    Object.assign(this, { change, smooth });
    this.bar = add(parent, 'div', 'runoff-toolbar');
    this.bar.setAttribute('role', 'toolbar');
    this.bar.setAttribute('aria-label', 'How the charts are looked at');
    this.modes = add(this.bar, 'div', 'runoff-modes');
    this.modes.setAttribute('role', 'radiogroup');
    this.modes.setAttribute('aria-label', 'Loss');
    this.axis = add(this.bar, 'select');
    this.axis.setAttribute('aria-label', 'x axis');
    this.axis.onchange = () => change({ x: [this.axis.value], zoom: null, pin: null });
    const slider = add(this.bar, 'label', 'runoff-slider', 'Smoothing');
    this.slider = add(slider, 'input');
    Object.assign(this.slider, { type: 'range', min: 0, step: 1 });
    this.weight = add(slider, 'output');
    this.slider.oninput = () => this.slid(smooth);
    // Each key that is pressed changes it: the server is told where it comes to rest.
    this.slider.onchange = () => change({ smooth: [this.weights[this.slider.value]] }, REST_MS);
    for (const near of ['pointerenter', 'focus']) this.slider.addEventListener(near, nearSlider);
    this.log = this.box('Log', checked => change({ log: [checked ? '1' : '0'] }));
    this.outliers = this.box('Ignore outliers', checked => change({ outliers: [checked ? 'ignored' : 'shown'] }));
    add(this.bar, 'span', 'runoff-space');
    const range = add(this.bar, 'span', 'runoff-range');
    this.ends = [0, 1].map(end => {
      if (end) add(range, 'span', 'runoff-muted', 'to');
      const field = add(range, 'input');
      Object.assign(field, { type: 'text', inputMode: 'decimal', autocomplete: 'off' });
      field.onchange = () => this.typed();
      return field;
    });
    const icons = add(this.bar, 'span', 'runoff-icons');
    this.reset = iconButton(icons, 'reset', 'Reset the range', () => change({ zoom: null }));
    this.download = iconButton(icons, 'download', 'Download');
    this.files = popover(this.download, this.bar, 'runoff-menu');
    this.files.addEventListener('beforetoggle', () => this.offer(download));
    this.help = popover(iconButton(icons, 'help', 'How to read'), this.bar, 'runoff-help');
  }

  box(words, change) {
    const label = add(this.bar, 'label', 'runoff-check'), found = add(label, 'input');
    found.type = 'checkbox';
    label.append(words);
    found.onchange = () => change(found.checked);
    return found;
  }

  show({ values, modes, axes, weights, extent, whole, help }, { clips, canClip, charts, csv }) {
    Object.assign(this, { weights, extent, whole, charts, csv, values });
    if (!this.modes.childElementCount) {
      for (const [value, words] of modes) {
        const label = add(this.modes, 'label'), input = add(label, 'input');
        Object.assign(input, { type: 'radio', name: 'runoff-loss', value, onchange: () => this.change({ loss: [value] }) });
        add(label, 'span', '', words);
      }
      for (const [value, words] of axes) add(this.axis, 'option', '', words).value = value;
      for (const [title, words] of help) {
        const line = add(this.help, 'p');
        add(line, 'b', '', `${title}. `);
        line.append(words);
      }
    }
    for (const input of this.modes.querySelectorAll('input')) input.checked = input.value === values.loss;
    this.axis.value = values.x;
    this.slider.max = weights.length - 1;
    if (!this.slider.matches(':active')) this.slider.value = weights.indexOf(values.smooth);
    this.slid(() => {});
    this.log.checked = values.log;
    this.outliers.checked = clips;
    this.outliers.disabled = !canClip;
    const title = axes.find(([value]) => value === values.x)[1];
    this.ends.forEach((field, end) => {
      field.setAttribute('aria-label', `${title} ${end ? 'to' : 'from'}`);
      field.disabled = !extent;
      if (document.activeElement !== field) field.value = extent ? spoken((values.zoom ?? extent)[end]) : '';
    });
    this.reset.disabled = !values.zoom;
  }

  slid(smooth) {
    const weight = this.weights[this.slider.value];
    this.weight.textContent = weight;
    this.slider.setAttribute('aria-valuetext', weight);
    smooth(weight);
  }

  typed() {
    const shown = this.values.zoom ?? this.extent;
    // What was not typed is exactly as it was, however many digits are shown of it.
    const [one, other] = this.ends.map(({ value }, at) =>
      (value.trim() === '' ? this.extent[at] : value === spoken(shown[at]) ? shown[at] : plainNumber(value)));
    const [start, end] = one > other ? [other, one] : [one, other];
    const isRange = start < end && !(start <= this.extent[0] && end >= this.extent[1]);
    // Two ends that leave nothing between them are no range; the whole axis is none either.
    this.change({ zoom: isRange ? [`${start}~${end}`] : null });
    const ends = isRange ? [start, end] : this.extent;
    this.ends.forEach((field, at) => { field.value = spoken(ends[at]); });
  }

  offer(download) {
    this.files.replaceChildren();
    const choose = (words, press) => {
      const button = add(this.files, 'button', '', words);
      button.type = 'button';
      button.onclick = () => {
        this.files.hidePopover();
        // Whoever came here by keyboard goes on from here.
        this.download.focus();
        press();
      };
    };
    for (const [key, title] of this.charts) {
      choose(`${title} as PNG`, () => download(key, 'png'));
      choose(`${title} as SVG`, () => download(key, 'svg'));
    }
    if (this.csv) choose('All values in view as CSV', () => document.querySelector(`.st-key-${this.csv} button`)?.click());
  }
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
    field.onchange = () => {
      const wanted = field.value.trim().toLowerCase(), left = every.filter(metric => !metric.chosen);
      const found = wanted && (left.find(({ title }) => title.toLowerCase() === wanted) ?? left.find(({ title }) => title.toLowerCase().includes(wanted)));
      field.value = '';
      if (found) toggle(found);
    };
  }
}
