// The charts of the page: what arrives is drawn on canvases (plot.js); hover, zoom and pin are taken here, for all
// charts of the page together. What arrives is described in lib/charts/packed.py and lib/charts/layout.py.

const beside = name => new URL(name + new URL(import.meta.url).search, import.meta.url);
const [{ plan, paint, hit, laneHeight }, { add, mark, Panel, Further }, { Toolbar }, { shown, onChange, hover, hold }] = await Promise.all(
  ['plot.js', 'controls.js', 'toolbar.js', 'highlight.js'].map(name => import(beside(name))),
);

const CLICK_PX = 4; // a pointer that moves less between down and up has clicked
const OFFERED_MS = 30_000; // a picture that is not offered by then will not be
const LOOK_MS = 50; // how often to look whether it is made
const BEGUN_MS = 1500; // a download that has not begun to be made by then was made at once
const TOLD_MS = 5000; // how long it is said that it could not be made
const ASK_AGAIN_MS = 500; // for lines that the server is still smoothing: then half as long again, and so on
const LONGEST_PAUSE_MS = 4000;
const MOST_ASKED = 24;
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const arrival = window.runoffArrival ??= {}; // where a finding that was clicked leads to (frame.js)
const components = new Map(); // by the element that Streamlit gives
const turns = new WeakMap(); // how often it was drawn in

// All charts of the page: called with every change of its data, and of the theme.
export function draw({ data, parentElement, setTriggerValue }) {
  const turn = (turns.get(parentElement) ?? 0) + 1;
  turns.set(parentElement, turn);
  let component = components.get(parentElement);
  if (!component) components.set(parentElement, component = new Component(parentElement));
  component.send = setTriggerValue;
  component.show(unpack(data));
  return () => {
    // Streamlit ends a call that another one has overtaken, but both share the charts.
    if (turns.get(parentElement) !== turn) return;
    component.remove();
    components.delete(parentElement);
  };
}

function unpack(bytes) {
  const { buffer } = bytes.slice();
  const parts = [];
  for (let at = 0; at < buffer.byteLength;) {
    const [text, block] = new Uint32Array(buffer, at, 2);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, at + 8, text)));
    const numbers = new Float64Array(buffer, at + 8 + text, block / 8);
    for (const columns of Object.values(head.tables))
      for (const [name, column] of Object.entries(columns)) columns[name] = valuesOf(column, numbers);
    at += 8 + text + block;
    parts.push(head);
  }
  return parts;
}

function valuesOf(column, numbers) {
  if (Array.isArray(column)) return column;
  if (column.runs) return column.runs.flatMap(([value, count]) => Array(count).fill(value));
  return numbers.subarray(column.at, column.at + column.count);
}

class Component {
  constructor(parent) {
    Object.assign(this, { charts: new Map(), pending: {}, dwarfed: {} });
    // Where another version of these files has drawn before, nothing of that stays.
    parent.replaceChildren();
    this.place = add(parent, 'div', 'runoff-component');
    this.probe = add(this.place, 'i', 'runoff-probe');
    const card = add(this.place, 'section', 'runoff-card');
    card.setAttribute('aria-label', 'Curves');
    add(card, 'h2', 'runoff-unseen', 'Curves');
    const change = (changes, wait) => this.change(changes, wait);
    this.toolbar = new Toolbar(card, {
      change,
      smooth: weight => everyChart().forEach(chart => chart.smooth(weight)),
      nearSlider: () => this.askForSmoothed(),
      download: (key, kind) => this.keep(key, kind),
    });
    const body = add(card, 'div', 'runoff-body');
    this.main = add(body, 'div', 'runoff-main');
    this.panel = new Panel(body, change);
    this.notes = add(card, 'p', 'runoff-notes');
    this.checking = add(card, 'p', 'runoff-notes');
    this.checking.setAttribute('role', 'status');
    this.below = add(this.place, 'div', 'runoff-lower');
    this.health = add(this.below, 'div', 'runoff-health');
    this.absent = add(this.below, 'p', 'runoff-absent');
    this.further = new Further(this.below, change);
    this.resized = new ResizeObserver(() => this.charts.forEach(chart => chart.fit()));
    this.resized.observe(this.main);
    this.resized.observe(this.health);
    this.unlisten = onChange(() => this.charts.forEach(chart => chart.paint()));
    document.fonts.load(`600 12px ${getComputedStyle(this.place).fontFamily}`).then(() => {
      widths.clear();
      this.charts.forEach(chart => chart.refresh());
    });
  }

  show([shared, ...parts]) {
    this.shared = shared;
    // Where the page says that they stand; until it does, below the others.
    document.querySelector('.runoff-below')?.append(this.below);
    this.theme = this.themed();
    const names = new Map(shared.runs.map(run => [run.slot, run]));
    this.names = names;
    const keys = [...shared.main, ...shared.health];
    for (const [key, chart] of this.charts) {
      if (keys.includes(key)) continue;
      chart.remove();
      this.charts.delete(key);
    }
    const values = { ...shared.options.values };
    this.settle(values);
    this.values = values;
    const charts = parts.slice(0, keys.length), drawn = new Set(charts.filter(part => !part.empty).map(part => part.key));
    arrange(this.main, shared.main.filter(key => drawn.has(key)).map(key => this.chart(key).figure));
    arrange(this.health, shared.health.filter(key => drawn.has(key)).map(key => this.chart(key).figure));
    this.main.classList.toggle('two', this.main.childElementCount > 1);
    this.panel.show(shared.pinned, names);
    // The charts first, and then the lines for every weight of smoothing, where they are here.
    const seen = JSON.stringify([this.theme, values.loss, values.outliers, shared.runs, shared.lossNotes, [...drawn]]);
    const isOld = seen === this.seen;
    this.seen = seen;
    const changed = charts.filter(part => drawn.has(part.key) && this.chart(part.key).take(part));
    for (const key of drawn) {
      // What is drawn as it shall be is left alone.
      if (isOld && !changed.length) this.chart(key).place(this.chart(key).pin, values.pin);
      else this.chart(key).refresh();
    }
    for (const part of parts.slice(keys.length)) if (drawn.has(part.key)) this.chart(part.key).smoothed = part;
    this.charts.forEach(chart => chart.smooth(values.smooth));
    this.place.dataset.smoothing = this.hasSmoothed() ? 'here' : '';
    this.showToolbar();
    this.notes.textContent = shared.notes.join(' ');
    this.checking.textContent = shared.checking ? 'Checking the runs: findings and the checkpoint to ship come next.' : '';
    if (shared.checking) this.askForChecked(shared.checking);
    this.arrive();
    this.absent.textContent = shared.absent;
    this.further.show(shared.further);
  }

  // Until the server says so too, what was just chosen here holds.
  settle(values) {
    for (const [name, text] of Object.entries(this.pending)) {
      if (!['loss', 'outliers', 'smooth'].includes(name) || values[name] === text?.[0]) delete this.pending[name];
      else values[name] = text[0];
    }
  }

  showToolbar() {
    const loss = this.charts.get('loss'), bounds = loss?.part?.bounds[this.values.loss];
    this.toolbar.show({ ...this.shared.options, values: this.values }, {
      clips: Boolean(bounds && this.ignores(bounds)),
      canClip: Boolean(bounds),
      charts: [...this.charts.values()].filter(chart => chart.part).map(chart => [chart.part.key, chart.part.title]),
      csv: this.shared.csv,
    });
  }

  // Whether outliers are ignored. By itself that is so where the start dwarfs the rest of the whole: a closer look at a
  // part, which may have none, turns nothing on or off.
  ignores(bounds) {
    const { outliers, loss, zoom } = this.values;
    if (!zoom || !(loss in this.dwarfed)) this.dwarfed[loss] = Boolean(bounds[4]);
    return outliers === 'ignored' || (outliers === 'auto' && this.dwarfed[loss]);
  }

  // Whether a chart leaves out what counts as an outlier in it.
  clips({ bounds }) {
    const { outliers, loss } = this.values;
    return outliers === 'ignored' || (outliers === 'auto' && Boolean(bounds[loss]?.[4]));
  }

  // Change the link's parameters: at once where everything for that is here, and on the server.
  change(changes, wait) {
    Object.assign(this.pending, changes);
    for (const name of ['loss', 'outliers', 'smooth']) if (changes[name]) this.values[name] = changes[name][0];
    if (changes.loss || changes.outliers) {
      this.showToolbar();
      this.charts.forEach(chart => chart.refresh());
    }
    if (changes.zoom) this.charts.forEach(chart => chart.zoom(changes.zoom[0].split('~').map(Number)));
    clearTimeout(this.waiting);
    const tell = () => this.send('put', { ...this.pending });
    if (wait) this.waiting = setTimeout(tell, wait);
    else tell();
  }

  // Somebody is about to move the slider: ask for the lines of every weight, once for what is shown.
  askForSmoothed() {
    const charts = everyChart(), bases = charts.map(chart => chart.part.basis).join();
    if (this.asked === bases || !charts.length || this.hasSmoothed()) return;
    this.asked = bases;
    this.turns = 0;
    this.send('smoothed_lines', true);
    // A question is lost too where the slider moves while the server works on it.
    this.askAgain();
  }

  // Have a picture of a chart made, or all values: the server offers it by a button, which only Streamlit can have.
  keep(key, kind) {
    if (kind === 'csv') {
      this.toolbar.say('Making the file…');
      this.press(`.st-key-${this.shared.csv}`);
      return;
    }
    const turn = Date.now(), place = `.st-key-download_picture_${turn}`;
    this.toolbar.say('Making the picture…');
    const seen = new MutationObserver(() => { if (this.press(place)) seen.disconnect(); });
    seen.observe(document.body, { childList: true, subtree: true });
    setTimeout(() => {
      seen.disconnect();
      if (!document.querySelector(place)) this.failed();
    }, OFFERED_MS);
    this.send('picture', { chart: key, kind, turn });
  }

  // Press the button in a place, where it is there, and say when what it makes is made: until then it cannot be pressed.
  press(place) {
    const button = () => document.querySelector(`${place} button`), start = performance.now();
    if (!button()) return false;
    button().click();
    let isBegun = false;
    const look = () => {
      if (document.querySelector(`${place} [data-testid="stDownloadButtonError"]`)) this.failed();
      else if (button()?.disabled || (!isBegun && performance.now() - start < BEGUN_MS)) {
        isBegun ||= Boolean(button()?.disabled);
        setTimeout(look, LOOK_MS);
      } else this.toolbar.say('');
    };
    setTimeout(look, LOOK_MS);
    return true;
  }

  failed() {
    this.toolbar.say('It could not be made. Try again.');
    setTimeout(() => this.toolbar.say(''), TOLD_MS);
  }

  // The charts came before the checks: ask for what these found, once they are drawn.
  askForChecked(key) {
    if (this.checked === key) return;
    this.checked = key;
    requestAnimationFrame(() => setTimeout(() => this.send('checked', key)));
  }

  // Bring a chart to a place on the x axis: the step is pinned, and in view.
  bring(chart, place) {
    const { first, last } = chart.plan, { extent } = this.shared.options, changes = { pin: [String(place)] };
    if ((place < first || place > last) && extent) {
      const half = (last - first) / 2, middle = Math.min(Math.max(place, extent[0] + half), extent[1] - half);
      changes.zoom = place < extent[0] || place > extent[1] ? null : [`${middle - half}~${middle + half}`];
    }
    this.change(changes);
    chart.figure.scrollIntoView({ block: 'nearest', behavior: calm.matches ? 'auto' : 'smooth' });
    chart.plot.focus({ preventScroll: true });
  }

  // Where somebody asked for a step of a metric, on this page or before it was opened: `metric` and `step`.
  arrive() {
    const { goal } = arrival;
    if (!goal || ![...this.charts.values()].some(chart => chart.plan)) return;
    arrival.goal = undefined;
    const chart = this.about(goal.metric);
    if (this.values.x === 'step') this.bring(chart, goal.step);
    else {
      this.change({ x: ['step'], zoom: null, pin: [String(goal.step)] });
      chart.figure.scrollIntoView({ block: 'nearest' });
    }
  }

  // The chart of a metric, else the first.
  about(metric) {
    const drawn = [...this.charts.values()].filter(chart => chart.plan);
    return drawn.find(chart => chart.part.metrics.includes(metric)) ?? drawn.find(chart => chart.part.key === 'loss') ?? drawn[0];
  }

  // Until they are here: the server may still be making them, and an answer without them is none.
  askAgain() {
    clearTimeout(this.asking);
    if (this.turns === MOST_ASKED || this.hasSmoothed()) return;
    this.asking = setTimeout(() => {
      this.askAgain();
      if (!this.hasSmoothed()) this.send('smoothed_lines', true);
    }, Math.min(ASK_AGAIN_MS * 1.5 ** this.turns++, LONGEST_PAUSE_MS));
  }

  hasSmoothed() {
    const charts = everyChart();
    return charts.length > 0 && charts.every(chart => chart.has('0'));
  }

  chart(key) {
    if (!this.charts.has(key)) this.charts.set(key, new Chart(this));
    return this.charts.get(key);
  }

  // The page's colours and font, as a canvas needs them.
  themed() {
    const { style } = this.probe, font = getComputedStyle(this.place).fontFamily;
    const colors = ['text', 'muted', 'grid', 'control', 'ground'].map(name => {
      style.color = `var(--${name})`;
      return [name, getComputedStyle(this.probe).color];
    });
    return { ...Object.fromEntries(colors), font };
  }

  // How a chart is looked at.
  look(width, more) {
    const { values: { loss: mode }, shared: { colors, shapes, signs }, names: runs, theme: { font } } = this;
    return { width, mode, colors, shapes, signs, runs, measure: (words, bold) => measured(words, bold, font), ...more };
  }

  remove() {
    clearTimeout(this.asking);
    this.resized.disconnect();
    this.unlisten();
    this.charts.forEach(chart => chart.remove());
    this.below.remove();
  }
}

function arrange(place, figures) {
  const there = [...place.children];
  if (figures.length !== there.length || figures.some((figure, at) => figure !== there[at])) place.replaceChildren(...figures);
}

const ruler = document.createElement('canvas').getContext('2d');
const widths = new Map();

function measured(words, bold, font) {
  const key = bold ? `*${words}` : words;
  if (!widths.has(key)) {
    ruler.font = `${bold ? 600 : 400} 12px ${font}`;
    widths.set(key, ruler.measureText(words).width);
  }
  return widths.get(key);
}

class Chart {
  constructor(component) {
    this.component = component;
    this.figure = document.createElement('figure');
    const head = add(this.figure, 'figcaption');
    this.title = add(head, 'b');
    this.note = add(head, 'span');
    this.outside = add(head, 'span', 'runoff-outside');
    this.legend = add(this.figure, 'div', 'runoff-legend');
    this.plot = add(this.figure, 'div', 'runoff-plot');
    this.plot.tabIndex = 0;
    this.plot.setAttribute('role', 'group');
    this.canvas = add(this.plot, 'canvas');
    this.canvas.setAttribute('role', 'img');
    this.rule = add(this.plot, 'i', 'runoff-rule');
    this.pin = add(this.plot, 'i', 'runoff-pin');
    this.brush = add(this.plot, 'i', 'runoff-brush');
    this.said = add(this.figure, 'p', 'runoff-said');
    this.plot.onpointermove = event => this.move(event);
    this.plot.onpointerdown = event => this.down(event);
    this.plot.onpointerup = event => this.up(event);
    this.plot.onpointercancel = () => this.cancel();
    this.plot.onpointerleave = event => {
      // A finger that was lifted has left too, and what it tapped stays said.
      if (this.from === undefined && event.pointerType !== 'touch') leave();
    };
    this.plot.onkeydown = event => this.press(event);
    this.plot.onblur = leave;
  }

  // Whether it has to be drawn anew.
  take(part) {
    const isFresh = this.part?.basis !== part.basis;
    if (!isFresh && this.has(part.smoothing)) {
      // The slider has drawn what it says, and the server comes late.
      part = { ...part, tables: { ...part.tables, lines: this.part.tables.lines } };
    }
    const isOther = isFresh || (part.smoothing !== this.smoothing && !this.has(part.smoothing));
    if (isOther) this.smoothing = part.smoothing;
    this.part = part;
    this.figure.className = part.wide ? 'runoff-chart wide' : 'runoff-chart runoff-card';
    this.title.textContent = part.title;
    this.title.title = part.counted;
    this.canvas.setAttribute('aria-label', part.alt);
    this.figure.setAttribute('aria-label', part.title);
    this.plot.setAttribute('aria-label', `${part.title}: left and right arrow keys move the rule, Enter pins it, F shows the next finding`);
    this.said.textContent = part.said;
    const [places, ...texts] = Object.values(part.tables.hover);
    Object.assign(this, { positions: places, texts });
    if (isFresh) leave();
    return isOther;
  }

  // Find anew where everything is, and draw it.
  refresh() {
    const { part, component, figure } = this;
    if (!part || !figure.clientWidth) return;
    const style = getComputedStyle(figure);
    this.width = figure.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    this.plan = plan(part, component.look(this.width, { clip: component.clips(part), taller: this.taller() }));
    const { bounds, isLegend, front, top, bottom } = this.plan, { lossNotes } = component.shared;
    this.note.textContent = part.key === 'loss' ? lossNotes[component.values.loss] : part.note;
    this.outside.textContent = bounds && bounds[2] ? `${spoken(bounds[2])} of ${spoken(bounds[3])} points lie outside` : '';
    this.legend.replaceChildren();
    if (isLegend) for (const curve of front) this.entry(curve, part.wide);
    for (const line of [this.rule, this.pin, this.brush]) {
      line.style.top = `${top - 6}px`;
      line.style.height = `${bottom - top + 6}px`;
    }
    this.place(this.pin, component.values.pin);
    this.paint();
  }

  // A small chart is as high as the one beside it, which may have more rows of findings.
  taller() {
    const { figure, component: { health, charts } } = this, place = [...health.children].indexOf(figure);
    if (place < 0 || figure.clientWidth > 0.6 * health.clientWidth) return 0;
    const other = [...charts.values()].find(chart => chart.figure === health.children[place ^ 1]);
    return other?.part ? Math.max(0, laneHeight(other.part) - laneHeight(this.part)) : 0;
  }

  entry({ slot, last }, wide) {
    const { short, label } = this.component.names.get(slot), entry = add(this.legend, 'span');
    entry.dataset.run = slot;
    entry.title = label;
    mark(entry, slot);
    entry.append(wide ? `${short} ${last}` : short);
  }

  paint() {
    if (!this.plan) return;
    const { canvas, width, plan: { height } } = this, scale = devicePixelRatio, pen = canvas.getContext('2d');
    const size = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) {
      [canvas.width, canvas.height] = size;
      Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    paint(pen, this.plan, this.component.theme, shown());
  }

  fit() {
    const style = getComputedStyle(this.figure), { clientWidth } = this.figure;
    if (clientWidth && clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) !== this.width) this.refresh();
  }

  // Show a range of what is here, until the server sends it in full resolution.
  zoom(range) {
    this.part = { ...this.part, basis: '', tables: { ...this.part.tables, extent: { x: range } } };
    this.refresh();
  }

  // Whether the lines for a weight came with those for all.
  has(weight) {
    return this.smoothed?.basis === this.part.basis && weight in this.smoothed.tables;
  }

  smooth(weight) {
    const lines = weight === this.smoothing ? undefined : this.lines(weight);
    if (!lines) return;
    this.part = { ...this.part, tables: { ...this.part.tables, lines } };
    this.smoothing = weight;
    this.refresh();
  }

  // The lines for a weight of smoothing, where they are here.
  lines(weight) {
    if (!this.has(weight)) return undefined;
    const { [weight]: smoothed, behind } = this.smoothed.tables;
    if (weight === '0') return smoothed;
    return Object.fromEntries(Object.keys(behind).map(name => [name, [...behind[name], ...smoothed[name]]]));
  }

  remove() {
    leave();
    this.figure.remove();
  }

  // Put a line at a position on the x axis, or hide it where that is out of view.
  place(line, position) {
    if (!this.plan) return;
    const { first, last, x } = this.plan, visible = position !== null && position >= first && position <= last;
    line.style.visibility = visible ? 'visible' : 'hidden';
    if (visible) line.style.transform = `translateX(${x(position)}px)`;
  }

  // The pointer, from the corner of the plot.
  pixel(event) {
    const box = this.plot.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // The row of the position nearest to a place on the x axis.
  nearest(place) {
    const { positions } = this, next = positions.findIndex(position => position >= place);
    if (next < 0) return positions.length - 1;
    return next > 0 && place - positions[next - 1] < positions[next] - place ? next - 1 : next;
  }

  move(event) {
    const [x, y] = this.pixel(event);
    if (this.from !== undefined && Math.abs(x - this.from) >= CLICK_PX) {
      const [start, end] = [this.from, x].map(each => Math.min(Math.max(each, this.plan.left), this.plan.right)).sort((one, other) => one - other);
      this.brush.style.visibility = 'visible';
      this.brush.style.transform = `translateX(${start}px)`;
      this.brush.style.width = `${end - start}px`;
      leave();
      return;
    }
    const { slot, chip, isLane, isLabel } = hit(this.plan, x, y);
    hover(slot);
    this.plot.style.cursor = isLabel ? 'pointer' : '';
    if (chip) this.plot.style.cursor = 'pointer';
    if (chip) this.tell(slot, chip, event);
    else if (isLane || isLabel || !this.positions.length) leave();
    else this.point(this.nearest(this.plan.invert(x)), event);
  }

  // Show what a sign in the lane says.
  tell(slot, chip, event) {
    say(this, event, (box, names) => {
      const head = add(box, 'p');
      mark(head, slot);
      add(head, 'b', '', names.get(slot).label);
      for (const text of chip.texts.slice(0, 6)) add(box, 'p', '', text);
      if (chip.texts.length > 6) add(box, 'p', '', `And ${chip.texts.length - 6} more.`);
    });
  }

  // Show the next finding in view, or the one before.
  next(step) {
    const chips = this.plan.lanes.flatMap(({ slot, y, chips: own }) => own.map(chip => ({ slot, y, chip }))).sort((one, other) => one.chip.x - other.chip.x);
    if (!chips.length) return;
    const at = this.finding === undefined ? (step > 0 ? 0 : chips.length - 1) : (this.finding + step + chips.length) % chips.length;
    const { slot, y, chip } = chips[at], box = this.plot.getBoundingClientRect();
    leave();
    this.tell(slot, chip, { clientX: box.left + chip.x, clientY: box.top + y });
    for (const chart of everyChart()) chart.place(chart.rule, chip.place);
    Object.assign(this, { finding: at, found: chip.place });
  }

  // Show the values at a position, and where it is in all charts.
  point(row, event) {
    this.row = row;
    const { part, positions } = this, { shown: visible, front } = this.plan;
    for (const chart of everyChart()) chart.place(chart.rule, positions[row]);
    const order = part.higher ? [...part.order[row]].reverse() : part.order[row];
    const isThere = number => this.texts[number][row] !== '–';
    const ranked = order.filter(number => front.some(curve => curve.number === number)).sort((one, other) => isThere(other) - isThere(one));
    const slots = [...new Set([...ranked.map(number => part.curves[number].slot), ...visible.map(curve => curve.slot)])];
    const kinds = [...new Set(visible.map(curve => curve.kind))].sort();
    say(this, event, (box, names) => {
      const table = add(box, 'table'), head = add(add(table, 'thead'), 'tr'), body = add(table, 'tbody');
      add(head, 'th', '', `${part.axis} ${spoken(positions[row])}`);
      for (const kind of kinds) add(head, 'th', '', { eval: part.relative ? 'Of its first' : part.key === 'loss' ? 'Eval' : part.title, train: 'Train' }[kind] ?? part.title);
      for (const slot of slots) {
        const line = add(body, 'tr'), name = add(line, 'th');
        mark(name, slot);
        name.append(names.get(slot).label);
        for (const kind of kinds) {
          const curve = visible.find(each => each.slot === slot && each.kind === kind);
          const [value, at] = (curve ? this.texts[curve.number][row] : '–').split(/(?= \(at )/), cell = add(line, 'td', '', value);
          // Nothing was logged just there: the nearest that was.
          if (at) add(cell, 'small', '', at);
        }
      }
    });
  }

  down(event) {
    if (event.button !== 0) return;
    const [x, y] = this.pixel(event), { isLabel, isLane, slot, chip } = hit(this.plan, x, y);
    if (isLabel || (isLane && event.pointerType !== 'touch')) {
      if (isLabel) hold(slot);
      if (chip) this.component.bring(this, chip.place);
      return;
    }
    if (isLane) {
      this.move(event);
      return;
    }
    this.from = x;
    this.plot.setPointerCapture(event.pointerId);
  }

  up(event) {
    if (this.from === undefined) return;
    const [x] = this.pixel(event), [start, end] = [this.from, x].sort((one, other) => one - other);
    this.cancel();
    const range = [start, end].map(this.plan.invert);
    if (end - start >= CLICK_PX && range[0] < range[1]) this.component.change({ zoom: [range.join('~')] });
    else if (this.positions.length) {
      const row = this.nearest(this.plan.invert(x));
      if (event.pointerType === 'touch') this.point(row, event);
      this.component.change({ pin: [String(this.positions[row])] });
    }
  }

  cancel() {
    this.from = undefined;
    this.brush.style.visibility = 'hidden';
  }

  press(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key], last = this.positions.length - 1;
    const turn = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (steps && last >= 0) {
      this.found = undefined;
      const row = this.row === undefined ? Math.round(last / 2) : Math.min(Math.max(this.row + steps, 0), last);
      const box = this.plot.getBoundingClientRect();
      this.point(row, { clientX: box.left + this.plan.x(this.positions[row]), clientY: box.top + box.height / 2 });
    } else if (turn) {
      const slots = [undefined, ...(this.plan.labels ?? this.plan.front.map(curve => ({ curve }))).map(({ curve }) => curve.slot)];
      hover(slots.at((slots.indexOf(shown()) + turn) % slots.length));
    } else if (event.key === 'f' || event.key === 'F') this.next(event.shiftKey ? -1 : 1);
    else if (event.key === 'Enter' && this.found !== undefined) this.component.bring(this, this.found);
    else if (event.key === 'Enter' && this.row !== undefined) this.component.change({ pin: [String(this.positions[this.row])] });
    else if (event.key === 'Escape') {
      leave();
      if (this.component.panel.isOpen) this.component.change({ pin: null });
    } else return;
    event.preventDefault();
  }
}

const everyChart = () => [...components.values()].flatMap(({ charts }) => [...charts.values()].filter(chart => chart.plan));
const spoken = value => value.toLocaleString('en', { maximumSignificantDigits: 7 });

let tooltip;

function say(chart, event, fill) {
  tooltip?.remove();
  tooltip = add(chart.component.place, 'div', 'runoff-tooltip');
  tooltip.setAttribute('role', 'status');
  fill(tooltip, chart.component.names);
  const { width, height } = tooltip.getBoundingClientRect(), away = 14;
  const left = event.clientX + away + width > innerWidth ? event.clientX - away - width : event.clientX + away;
  const top = Math.min(event.clientY + away, innerHeight - height - 4);
  Object.assign(tooltip.style, { left: `${Math.max(4, left)}px`, top: `${Math.max(4, top)}px` });
}

function leave() {
  tooltip?.remove();
  tooltip = undefined;
  for (const chart of everyChart()) {
    chart.rule.style.visibility = 'hidden';
    Object.assign(chart, { row: undefined, found: undefined });
  }
}

// What names a step of a metric, anywhere on the page, leads to its place in the charts.
document.addEventListener('runoff-arrival', () => components.forEach(component => component.arrive()));

// What a finger has brought up goes with the next touch elsewhere.
document.addEventListener('pointerdown', event => {
  if (tooltip && !event.target.closest?.('.runoff-plot')) leave();
});
