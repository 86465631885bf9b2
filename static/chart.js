// One chart of the page, drawn on a canvas (plot.js); hover, zoom and pin are taken here, and shown in all of them.

const beside = name => new URL(name + new URL(import.meta.url).search, import.meta.url);
const [{ plan, paint, hit, laneHeight }, { add, mark }, { shown, hover, hold }] = await Promise.all(
  ['plot.js', 'controls.js', 'highlight.js'].map(name => import(beside(name))),
);

const CLICK_PX = 4; // a pointer that moves less between down and up has clicked
const every = new Set();

// Those that are drawn.
export const everyChart = () => [...every].filter(chart => chart.plan);
const spoken = value => value.toLocaleString('en', { maximumSignificantDigits: 7 });

export class Chart {
  constructor(component) {
    every.add(this);
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
    const said = [part.key === 'loss' && lossNotes[component.values.loss], (part.key !== 'loss' || part.minus) && part.note];
    this.note.textContent = said.filter(Boolean).join(' · ');
    this.note.title = this.note.textContent;
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
    every.delete(this);
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
          const [value, at] = (curve ? this.texts[curve.number][row] : '–').split(/(?= \(at )/);
          const less = curve && part.tables.against?.[curve.number][row], sense = less?.match(/(?:better|worse)$/)?.[0] ?? '';
          // A curve that is a difference says no more than that.
          const cell = add(line, 'td', part.minus ? sense : '', (part.minus && less) || value);
          // Nothing was logged just there: the nearest that was.
          if (at) add(cell, 'small', '', at);
          if (less && !part.minus) add(cell, 'small', `runoff-less ${sense}`, less);
        }
      }
      if (part.baseline) add(box, 'p', '', `${part.minus ? 'Differences' : 'Second line: difference'} to ${part.baseline}`);
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

// What a finger has brought up goes with the next touch elsewhere.
document.addEventListener('pointerdown', event => {
  if (tooltip && !event.target.closest?.('.runoff-plot')) leave();
});
