// The charts of the page together (one of them: chart.js), their toolbar, and what is asked of the server. What arrives is
// described in lib/charts/packed.py and lib/charts/layout.py.

const beside = name => new URL(name + new URL(import.meta.url).search, import.meta.url);
const [{ Chart, everyChart }, { add, Panel, Further }, { Toolbar }, { onChange }] = await Promise.all(
  ['chart.js', 'controls.js', 'toolbar.js', 'highlight.js'].map(name => import(beside(name))),
);

const OFFERED_MS = 30_000; // a file that is not offered by then will not be
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
    for (const old of parent.querySelectorAll('.runoff-component')) old.remove();
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
    const below = document.querySelector('.runoff-below');
    // To move it would take the focus from what is in it.
    if (below && this.below.parentElement !== below) below.append(this.below);
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

  // Have a file of a chart made, or of all values: the server offers it by a button, which only Streamlit can have.
  keep(key, kind) {
    const isPicture = kind === 'png' || kind === 'svg';
    this.toolbar.say(isPicture ? 'Making the picture…' : 'Making the file…');
    if (!key) {
      this.press(`.st-key-${this.shared.csv}`);
      return;
    }
    const turn = Date.now(), place = `.st-key-download_file_${turn}`;
    const seen = new MutationObserver(() => { if (this.press(place)) seen.disconnect(); });
    seen.observe(document.body, { childList: true, subtree: true });
    setTimeout(() => {
      seen.disconnect();
      if (!document.querySelector(place)) this.failed();
    }, OFFERED_MS);
    this.send('file', { chart: key, kind, turn });
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

// What names a step of a metric, anywhere on the page, leads to its place in the charts.
document.addEventListener('runoff-arrival', () => components.forEach(component => component.arrive()));
