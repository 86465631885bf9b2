// The charts of the page. Vega draws them; hover, zoom and pin are taken here, for all charts of the page together.
// What arrives is described in lib/charts/packed.py and lib/charts/layout.py.

const beside = name => new URL(name + new URL(import.meta.url).search, import.meta.url);
const drawing = Promise.all([
  import(beside('vega.min.js')).then(() => globalThis.vega),
  fetch(beside('curves.json')).then(answer => answer.json()),
]);

const CLICK_PX = 4; // a pointer that moves less between down and up has clicked
const MARK_PX = 7; // half the width of what a pointer hits of a mark
const components = new Map(); // by the element that Streamlit gives
const turns = new WeakMap(); // how often it was drawn in

// All charts of the page: called with every change of its data, and of the theme.
export async function draw({ data, parentElement, setTriggerValue }) {
  const turn = (turns.get(parentElement) ?? 0) + 1;
  turns.set(parentElement, turn);
  const isLatest = () => turns.get(parentElement) === turn;
  const [vega, specifications] = await drawing;
  // Streamlit ends a call that another one has overtaken, but both share the charts.
  if (!isLatest()) return undefined;
  let component = components.get(parentElement);
  if (!component) components.set(parentElement, component = new Component(parentElement, vega, specifications));
  component.send = setTriggerValue;
  component.show(unpack(data));
  return () => {
    if (!isLatest()) return;
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
      for (const [name, column] of Object.entries(columns)) columns[name] = values(column, numbers);
    at += 8 + text + block;
    parts.push(head);
  }
  return parts;
}

function values(column, numbers) {
  if (Array.isArray(column)) return column;
  if (column.runs) return column.runs.flatMap(([value, count]) => Array(count).fill(value));
  return numbers.subarray(column.at, column.at + column.count);
}

function rows(columns) {
  const names = Object.keys(columns), count = columns[names[0]].length, found = new Array(count);
  for (let row = 0; row < count; row++) {
    const one = found[row] = {};
    for (const name of names) one[name] = columns[name][row];
  }
  return found;
}

class Component {
  constructor(parent, vega, specifications) {
    Object.assign(this, { vega, specifications, charts: new Map(), sections: [], parsed: {} });
    this.place = add(parent, 'div', 'runoff-component');
    this.resized = new ResizeObserver(() => this.charts.forEach(chart => chart.fit()));
    this.resized.observe(this.place);
  }

  show([shared, ...parts]) {
    this.follow(themeOf(this.place));
    const keys = shared.sections.flatMap(section => section.charts);
    for (const [key, chart] of this.charts) {
      if (keys.includes(key)) continue;
      chart.remove();
      this.charts.delete(key);
    }
    while (this.sections.length < shared.sections.length) this.sections.push(new Section(this.place));
    shared.sections.forEach(({ charts, legend, wide }, at) => {
      this.sections[at].show(charts.map(key => this.chart(key).figure), legend, wide);
    });
    // The charts first, and then the lines for every weight of smoothing, where they are here.
    parts.slice(0, keys.length).forEach(part => this.chart(part.key).show(part, shared.pin));
    parts.slice(keys.length).forEach(part => this.chart(part.key).smoothed = part);
    follow(shared.slider);
  }

  chart(key) {
    if (!this.charts.has(key)) this.charts.set(key, new Chart(this));
    return this.charts.get(key);
  }

  follow(theme) {
    const key = JSON.stringify(theme);
    if (key === this.theme) return;
    Object.assign(this, { theme: key, config: theme, parsed: {} });
    this.charts.forEach(chart => chart.forget());
  }

  // What Vega makes of the specification of a scale: one for all charts.
  runtime(scale) {
    return this.parsed[scale] ??= this.vega.parse(this.specifications[scale], this.config);
  }

  remove() {
    this.resized.disconnect();
    this.charts.forEach(chart => chart.remove());
  }
}

// Charts and the legend that they share.
class Section {
  constructor(place) {
    this.section = add(place, 'div', 'runoff-section');
    this.legend = add(this.section, 'div', 'runoff-legend');
    this.grid = add(this.section, 'div', 'runoff-charts');
  }

  show(figures, { vertical, runs, keys }, wide) {
    this.section.classList.toggle('vertical', vertical);
    this.grid.classList.toggle('wide', wide);
    const shown = [...this.grid.children];
    if (figures.length !== shown.length || figures.some((figure, at) => figure !== shown[at]))
      this.grid.replaceChildren(...figures);
    this.legend.replaceChildren();
    for (const { name, label, color } of runs) {
      const entry = add(this.legend, 'span');
      entry.title = label;
      add(entry, 'i').style.background = color;
      entry.append(name);
    }
    for (const key of keys) add(this.legend, 'small').textContent = key;
  }
}

class Chart {
  constructor(component) {
    this.component = component;
    this.figure = document.createElement('figure');
    this.figure.className = 'runoff-chart';
    this.plot = add(this.figure, 'div', 'runoff-plot');
    this.plot.dataset.testid = 'stVegaLiteChart'; // as Streamlit calls a chart that Vega draws
    this.plot.tabIndex = 0;
    this.plot.setAttribute('role', 'group');
    this.canvas = add(this.plot, 'div');
    this.rule = add(this.plot, 'i', 'runoff-rule');
    this.pin = add(this.plot, 'i', 'runoff-pin');
    this.brush = add(this.plot, 'i', 'runoff-brush');
    this.caption = add(this.figure, 'figcaption');
    this.plot.onpointermove = event => this.move(event);
    this.plot.onpointerdown = event => this.down(event);
    this.plot.onpointerup = event => this.up(event);
    this.plot.onpointercancel = () => this.cancel();
    this.plot.onpointerleave = () => this.from === undefined && leave();
    this.plot.onkeydown = event => this.press(event);
    this.plot.onblur = leave;
  }

  show(part, pin) {
    const fresh = this.part?.basis !== part.basis;
    this.part = part;
    this.pinned = pin;
    this.figure.classList.toggle('empty', part.empty);
    this.plot.hidden = part.empty;
    this.caption.textContent = part.said;
    if (part.empty) this.forget();
    else if (!this.view || this.log !== part.log) this.build();
    else if (fresh || (this.smoothing !== part.smoothing && !this.has(part.smoothing))) this.update();
    if (this.view) this.place(this.pin, pin);
  }

  build() {
    this.forget();
    this.log = this.part.log;
    const { component } = this, runtime = component.runtime(this.log ? 'log' : 'linear');
    this.view = new component.vega.View(runtime, { renderer: 'canvas', container: this.canvas, hover: false });
    this.axes = this.view.padding();
    this.view.width(this.room());
    this.update();
  }

  update() {
    const { part, view, axes } = this;
    this.plot.setAttribute('aria-label', `${part.alt}; arrow keys move the rule, Enter pins it`);
    view.description(part.alt).height(part.height).signal('yTitle', part.title).signal('xTitle', part.axis)
      .signal('yFormat', part.format);
    for (const name of part.drawn) this.replace(name, rows(part.tables[name]));
    view.run();
    this.smoothing = part.smoothing;
    for (const line of [this.rule, this.pin, this.brush]) {
      line.style.top = `${axes.top}px`;
      line.style.height = `${part.height}px`;
    }
    [this.positions, ...this.texts] = Object.values(part.tables.hover);
    [, ...this.names] = Object.keys(part.tables.hover);
    leave();
  }

  replace(name, found) {
    const { vega } = this.component;
    this.view.change(name, vega.changeset().remove(vega.truthy).insert(found));
  }

  // Whether the lines for a weight came with those for all: then the slider has drawn them, and the server comes late.
  has(weight) {
    return this.smoothed?.basis === this.part.basis && weight in this.smoothed.tables;
  }

  smooth(weight) {
    const found = weight === this.smoothing ? undefined : this.lines(weight);
    if (!found) return;
    this.replace('lines', found);
    this.view.run();
    this.smoothing = weight;
  }

  // The lines for a weight of smoothing, where they are here.
  lines(weight) {
    if (weight === this.part.smoothing) return rows(this.part.tables.lines);
    if (!this.has(weight)) return undefined;
    const { [weight]: smoothed, behind } = this.smoothed.tables;
    return weight === '0' ? rows(smoothed) : [...rows(behind), ...rows(smoothed)];
  }

  room() {
    const { left, right } = this.axes;
    return Math.max(1, this.figure.clientWidth - left - right);
  }

  fit() {
    if (!this.view || !this.figure.clientWidth || this.view.width() === this.room()) return;
    this.view.width(this.room()).run();
    this.place(this.pin, this.pinned);
  }

  forget() {
    this.view?.finalize();
    this.view = undefined;
    this.canvas.replaceChildren();
  }

  remove() {
    leave();
    this.forget();
    this.figure.remove();
  }

  // Put a line at a position on the x axis, or hide it where that is out of view.
  place(line, position) {
    const [low, high] = this.view.scale('x').domain();
    const visible = position !== null && position >= low && position <= high;
    line.style.visibility = visible ? 'visible' : 'hidden';
    if (visible) line.style.transform = `translateX(${this.axes.left + this.view.scale('x')(position)}px)`;
  }

  // The pointer in pixels of the plot, kept inside it.
  pixel(event) {
    const x = event.clientX - this.plot.getBoundingClientRect().left - this.axes.left;
    return Math.min(Math.max(x, 0), this.view.width());
  }

  at(pixel) {
    return this.view.scale('x').invert(pixel);
  }

  // The row of the position nearest to a place on the x axis.
  nearest(place) {
    const { positions } = this, next = positions.findIndex(position => position >= place);
    if (next < 0) return positions.length - 1;
    return next > 0 && place - positions[next - 1] < positions[next] - place ? next - 1 : next;
  }

  move(event) {
    const pixel = this.pixel(event);
    if (this.from !== undefined) {
      const [start, end] = [this.from, pixel].sort((one, other) => one - other);
      this.brush.style.visibility = 'visible';
      this.brush.style.transform = `translateX(${this.axes.left + start}px)`;
      this.brush.style.width = `${end - start}px`;
      leave();
      return;
    }
    const mark = this.markAt(pixel, event.clientY - this.plot.getBoundingClientRect().top - this.axes.top);
    if (mark) say(this, event, [['Run', mark.run], ['Noticed', mark.finding]]);
    else if (this.positions.length) this.point(this.nearest(this.at(pixel)), event);
  }

  markAt(x, y) {
    const scale = this.view.scale('x'), near = (one, other) => Math.abs(one - other) < MARK_PX;
    return rows(this.part.tables.marks).find(mark => near(scale(mark.x), x) && near(mark.lane, y));
  }

  // Show the values at a position, and where it is in all charts.
  point(row, event) {
    this.row = row;
    const position = this.positions[row];
    for (const chart of everyChart()) chart.place(chart.rule, position);
    const place = position.toLocaleString('en', { maximumSignificantDigits: 7 });
    const said = this.names.map((name, at) => [name, this.texts[at][row], this.part.colors[at]]);
    say(this, event, [[this.part.axis, place], ...said]);
  }

  down(event) {
    if (event.button !== 0) return;
    this.from = this.pixel(event);
    this.plot.setPointerCapture(event.pointerId);
  }

  up(event) {
    if (this.from === undefined) return;
    const [start, end] = [this.from, this.pixel(event)].sort((one, other) => one - other);
    this.cancel();
    const range = [this.at(start), this.at(end)];
    if (end - start >= CLICK_PX && range[0] < range[1]) this.component.send('zoom', range);
    else if (this.positions.length) this.component.send('pin', this.positions[this.nearest(this.at(start))]);
  }

  cancel() {
    this.from = undefined;
    this.brush.style.visibility = 'hidden';
  }

  press(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key], last = this.positions.length - 1;
    if (steps && last >= 0) {
      const row = this.row === undefined ? Math.round(last / 2) : Math.min(Math.max(this.row + steps, 0), last);
      const box = this.plot.getBoundingClientRect();
      const clientX = box.left + this.axes.left + this.view.scale('x')(this.positions[row]);
      this.point(row, { clientX, clientY: box.top + box.height / 2 });
    } else if (event.key === 'Enter' && this.row !== undefined) this.component.send('pin', this.positions[this.row]);
    else if (event.key === 'Escape') leave();
    else return;
    event.preventDefault();
  }
}

function* everyChart() {
  for (const { charts } of components.values()) for (const chart of charts.values()) if (chart.view) yield chart;
}

// The slider of the page is Streamlit's, and so is what it says in the end: the charts only do not wait for that.
let slider, weight, asked;

function follow(key) {
  const found = document.querySelector(`.st-key-${key.replace(/[^\w-]/g, '-')}`);
  if (!found || found === slider) return;
  slider = found;
  weight = weightNow();
  for (const near of ['pointerenter', 'focusin']) slider.addEventListener(near, ask);
  new MutationObserver(moved).observe(slider, { subtree: true, attributeFilter: ['aria-valuetext'] });
}

function weightNow() {
  return slider.querySelector('input')?.getAttribute('aria-valuetext');
}

function moved() {
  // It is written anew with every run of the page, mostly as it was.
  if (weight === (weight = weightNow())) return;
  for (const chart of everyChart()) chart.smooth(weight);
  ask(); // where what is shown has changed since
}

// Ask for the lines of every weight, once for what is shown: somebody is about to move the slider.
function ask() {
  const charts = [...everyChart()], bases = charts.map(chart => chart.part.basis).join();
  if (asked === bases || !charts.length || charts.every(chart => chart.has('0'))) return;
  asked = bases;
  charts[0].component.send('smoothed_lines', true);
}

let tooltip;

function say(chart, event, lines) {
  tooltip?.remove();
  tooltip = add(chart.component.place, 'div', 'runoff-tooltip');
  tooltip.setAttribute('role', 'status');
  const body = add(add(tooltip, 'table'), 'tbody');
  for (const [name, text, color] of lines) {
    const row = add(body, 'tr');
    add(row, 'td').append(...(color ? [colored(name[0], color), name.slice(1)] : [name]));
    add(row, 'td').textContent = text;
  }
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
    chart.row = undefined;
  }
}

// How Vega is to write, in the page's colours and font.
function themeOf(element) {
  const style = getComputedStyle(element), get = name => style.getPropertyValue(`--st-${name}`).trim();
  const text = get('text-color'), font = get('font'), grid = get('border-color-light');
  return {
    axis: {
      labelColor: text, labelOpacity: 0.65, labelFont: font, labelFontSize: 12,
      titleColor: text, titleOpacity: 0.65, titleFont: font, titleFontSize: 13, titleFontWeight: 400,
      domain: false, ticks: false, gridColor: grid, labelFlush: true, labelOverlap: true,
    },
    style: { cell: { stroke: null } },
  };
}

function add(parent, tag, name) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  return parent.appendChild(element);
}

function colored(text, color) {
  const element = document.createElement('span');
  element.textContent = text;
  element.style.color = color;
  return element;
}
