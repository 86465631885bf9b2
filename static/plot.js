// One chart: where everything in it is (`plan`), and drawing it (`paint`), on the page's canvas or into a picture.
// What arrives is described in lib/charts/layout.py; sizes are in CSS pixels.

const FLAG = 30, HEAD = 12; // above the plot: with the label of the checkpoint to ship, and without
const AXIS = 22; // below it: the numbers of the x axis
const LANE = 15; // a run's row of findings
const APART = 17; // between the labels at the ends of the lines
const CHIP = 13, DIGIT = 7; // the side of a sign of a finding
const MARK_APART = 11; // marks of one curve that are nearer to each other than so are thinned
const MOST_LABELLED = 0.36; // labels that take more than this of the width are a legend instead
const LEAST_LABELS = 3, MORE_TICKS = 6, CLOSER = [1, 2, 2.5, 4, 5, 10];
const TICK_PX = { x: 85, y: 62, small: 40 };
const MANY = 200; // a pale line through so many points is paler

// The outline of a run's mark of a size around a place.
export function outline(pen, shape, x, y, s) {
  pen.beginPath();
  if (shape === 'circle') pen.arc(x, y, s, 0, 2 * Math.PI);
  else if (shape === 'square') pen.rect(x - s * 0.9, y - s * 0.9, s * 1.8, s * 1.8);
  else {
    const t = s * 0.42, l = s * 1.25;
    const corners = {
      'triangle-up': [[0, -s * 1.2], [s * 1.15, s * 0.85], [-s * 1.15, s * 0.85]],
      diamond: [[0, -s * 1.35], [s * 1.35, 0], [0, s * 1.35], [-s * 1.35, 0]],
      cross: [[-t, -l], [t, -l], [t, -t], [l, -t], [l, t], [t, t], [t, l], [-t, l], [-t, t], [-l, t], [-l, -t], [-t, -t]],
    }[shape];
    corners.forEach(([dx, dy], at) => (at ? pen.lineTo(x + dx, y + dy) : pen.moveTo(x + dx, y + dy)));
    pen.closePath();
  }
}

// How high the rows of findings below a chart are.
export const laneHeight = part => (part.lane.length ? 6 + LANE * part.lane.length : 0);

// Which curves a choice of losses shows.
export const isShown = (curve, mode) =>
  !(curve.kind === 'train' && (mode === 'eval' || mode === 'relative')) && !(curve.kind === 'eval' && mode === 'train' && curve.loss);

// Where everything in a chart is. `look`: width, mode, clip (whether outliers are ignored), runs, colors, shapes, signs,
// and how wide a text is, and how much taller than usual the plot is.
export function plan(part, look) {
  const { tables } = part, curves = part.curves.map((curve, number) => ({ ...curve, number, line: [], faint: [], marks: [] }));
  gather(tables.lines, (x, y, number, at) => curves[number][tables.lines.faint[at] ? 'faint' : 'line'].push([x, y]));
  gather(tables.evals, (x, y, number) => curves[number].marks.push([x, y]));
  gather(tables.best, (x, y, number) => { curves[number].best = [x, y]; });
  const losses = curves.some(curve => curve.kind === 'train');
  for (const curve of curves) curve.loss = losses;
  const shown = curves.filter(curve => isShown(curve, look.mode));
  const front = shown.filter(curve => curve.kind !== 'train' || look.mode === 'train' || !shown.some(other => other.kind === 'eval'));
  const [first, last] = tables.extent.x.length ? tables.extent.x : [0, 1];
  const bounds = look.clip ? part.bounds[look.mode] : undefined;
  const found = { part, curves, shown, front, look, bounds, wide: part.wide };

  const values = domain(shown, first, last, bounds, part.log);
  // The baseline is level with it.
  if (part.minus) [values[0], values[1]] = [Math.min(values[0], 0), Math.max(values[1], 0)];
  const top = (part.flag ? FLAG : HEAD), bottom = top + part.height + (look.taller ?? 0);
  const lanes = part.lane, height = bottom + AXIS + laneHeight(part);
  const ticks = part.log ? logTicks(...values) : linearTicks(...values, Math.max(2, Math.round(part.height / (part.wide ? TICK_PX.y : TICK_PX.small))));
  const format = formatter(ticks, part.format);
  const left = Math.max(part.wide ? 38 : 34, lanes.length ? 9 + look.measure('health') : 0, 14 + Math.max(...ticks.map(tick => look.measure(format(tick)))));
  // Where there is but one run, its small charts need no name.
  const labels = part.wide || look.runs.size > 1 ? endLabels(front, look, part.wide) : [];
  const longest = labels.length ? Math.max(...labels.map(label => label.width)) + 32 : 12;
  const isLegend = longest > MOST_LABELLED * look.width;
  const words = labels.length ? Math.max(0, ...lanes.map(each => look.measure(each.words))) + 16 : 0;
  const gutter = isLegend ? 12 : Math.max(longest, words <= MOST_LABELLED * look.width ? words : 0);
  const right = look.width - gutter, width = Math.max(1, right - left);
  const pad = (last - first) * 0.008 || 1, xs = [first - pad, last + pad];
  const x = place => left + (place - xs[0]) / (xs[1] - xs[0]) * width;
  const level = part.log ? Math.log10 : value => value;
  const [low, high] = padded(level(values[0]), level(values[1]));
  const y = value => bottom - (level(value) - low) / (high - low) * (bottom - top);
  Object.assign(found, {
    x, y, top, bottom, left, right, width, height, first, last, ticks, format, isLegend,
    invert: pixel => Math.min(Math.max(xs[0] + (pixel - left) / width * (xs[1] - xs[0]), first), last),
    yTicks: ticks.filter(tick => y(tick) >= top - 1 && y(tick) <= bottom + 1),
    ...axisTicks(first, last, x, [part.wide ? left - 7 : -Infinity, look.width], width, look.measure),
    lanes: lanes.map((each, at) => ({ ...findingsOf(each, tables.findings, look.signs, x, [left, right]), y: bottom + AXIS + 10 + LANE * at })),
  });
  if (!isLegend) found.labels = spread(labels, found);
  for (const curve of shown) curve.pixels = curve.line.map(([px, py]) => [x(px), y(py)]);
  return found;
}

function gather(table, take) {
  const { x, y, curve } = table;
  for (let at = 0; at < x.length; at++) take(x[at], y[at], curve[at], at);
}

function domain(shown, first, last, bounds, log) {
  if (bounds) return [bounds[0], bounds[1]];
  let low = Infinity, high = -Infinity;
  for (const curve of shown)
    for (const points of [curve.line, curve.faint, curve.marks])
      for (const [x, y] of points)
        if (x >= first && x <= last) {
          if (y < low) low = y;
          if (y > high) high = y;
        }
  if (low > high) return log ? [1, 10] : [0, 1];
  if (low < high) return [low, high];
  return log ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
}

const padded = (low, high) => [low - (high - low) * 0.05, high + (high - low) * 0.05];

export function linearTicks(low, high, count, sizes = [1, 2, 2.5, 5, 10]) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = sizes.map(each => each * power).find(each => each >= raw * 0.999) || 1;
  const found = [], at = Math.ceil(low / step - 1 - 1e-9);
  for (let number = at; number * step <= high + step && found.length < 40; number++) found.push(Number((number * step).toPrecision(12)));
  return found;
}

// The ticks of the x axis, and the words below those that have room for some between the two ends of `room`: three at
// least, where so many fit. Too few steps leave a range that begins just above one and ends just below another with one.
export function axisTicks(first, last, x, room, width, measure) {
  const fewest = Math.max(2, Math.floor(width / TICK_PX.x));
  let best;
  for (let count = fewest; count <= fewest + MORE_TICKS; count++) {
    const xTicks = linearTicks(first, last, count, count > fewest ? CLOSER : undefined).filter(tick => tick >= first && tick <= last);
    const format = formatter(xTicks, ''), xLabels = [];
    let [taken, isTight] = [room[0], false];
    for (const tick of xTicks) {
      const words = format(tick), half = measure(words) / 2;
      if (x(tick) + half > room[1]) continue;
      if (x(tick) - half < taken + 6) {
        isTight ||= xLabels.length > 0;
        continue;
      }
      xLabels.push({ at: x(tick), words });
      taken = x(tick) + half;
    }
    if (best && isTight) break;
    if (!best || xLabels.length > best.xLabels.length) best = { xTicks, xLabels };
    if (best.xLabels.length >= LEAST_LABELS) break;
  }
  return best;
}

function logTicks(low, high) {
  const decades = Math.log10(high / low), steps = decades < 1 ? [1, 1.5, 2, 3, 4, 5, 7] : decades < 3 ? [1, 2, 5] : [1];
  const every = Math.ceil(decades / 8), found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    if (decades < 8 || power % every === 0) for (const step of steps) found.push(Number((step * 10 ** power).toPrecision(6)));
  return found;
}

const short = value => value.toExponential(2).replace(/\.?0+e/, 'e').replace('e+', 'e');

// What writes the numbers of an axis, all with as many decimals.
function formatter(ticks, format) {
  const write = plainly(ticks, format);
  return value => write(value).replace(/^-/, '\u2212');
}

function plainly(ticks, format) {
  const largest = Math.max(...ticks.map(Math.abs), 0);
  if (format.endsWith('%')) return value => `${Number((value * 100).toPrecision(6)).toLocaleString('en')}%`;
  if (format.endsWith('e') || (largest > 0 && largest < 1e-3)) return value => (value ? short(value) : '0');
  if (largest >= (format.includes('s') ? 1e3 : 1e5)) {
    const [per, unit] = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']].find(([size]) => largest >= size);
    const shortened = largest >= 1e15 ? short : value => (value ? `${Number((value / per).toPrecision(4))}${unit}` : '0');
    // A close look at a long run: what tells the ticks apart is beyond the digits that are shown.
    if (largest >= 1e15 || new Set(ticks.map(shortened)).size === ticks.length) return shortened;
  }
  const decimals = Math.max(0, ...ticks.map(tick => (String(Number(tick.toPrecision(6))).split('.')[1] ?? '').length));
  return value => value.toLocaleString('en', { minimumFractionDigits: Math.min(decimals, 4), maximumFractionDigits: Math.min(decimals, 4) });
}

// The names of the curves in front; in a wide chart with their last values.
function endLabels(front, look, wide) {
  return front.flatMap(curve => {
    const run = look.runs.get(curve.slot), [place, value] = curve.line.at(-1) ?? [], words = wide ? curve.last : '';
    if (place === undefined) return [];
    return [{ curve, run, place, value, words, width: look.measure(run.short, true) + (words ? 6 + look.measure(words) : 0) }];
  });
}

function spread(labels, { x, y, top, bottom, first, last }) {
  for (const label of labels) {
    const within = label.curve.line.filter(([place]) => place >= first && place <= last).at(-1) ?? [label.place, label.value];
    const end = label.place > last ? [last, crossing(label.curve.line, last)] : within;
    label.px = x(Math.min(end[0], last));
    label.from = Math.max(top, Math.min(bottom, y(end[1])));
  }
  labels.sort((one, other) => one.from - other.from);
  labels.forEach((label, at) => { label.y = Math.max(label.from, at ? labels[at - 1].y + APART : top); });
  for (let at = labels.length - 1; at >= 0; at--) {
    const most = at === labels.length - 1 ? bottom - 2 : labels[at + 1].y - APART;
    if (labels[at].y > most) labels[at].y = most;
  }
  for (let turn = 0; turn < 40; turn++)
    labels.forEach((label, at) => {
      const above = at ? labels[at - 1].y + APART : top - 2, below = at < labels.length - 1 ? labels[at + 1].y - APART : bottom + 4;
      label.y = Math.max(above, Math.min(below, label.y + (label.from - label.y) * 0.3));
    });
  return labels;
}

// The value of a line where it crosses the edge of the view.
function crossing(line, edge) {
  const after = line.findIndex(([place]) => place > edge), [x1, y1] = line[after];
  if (!after) return y1;
  const [x0, y0] = line[after - 1];
  return y0 + (y1 - y0) * (edge - x0) / (x1 - x0 || 1);
}

// A run's row of findings: chips, those of a kind that would touch as one, and bars for how long.
function findingsOf({ slot, words, symbols }, findings, signs, x, [begin, end]) {
  const chips = [], bars = [];
  for (let number = 0; number < findings.x.length; number++) {
    if (findings.slot[number] !== slot) continue;
    const kind = findings.kind[number], text = findings.text[number];
    // What began earlier stands at the edge.
    const from = Math.max(x(findings.x[number]), begin), to = Math.min(x(findings.end[number]), end);
    const before = chips.findLast(chip => chip.kind === kind);
    if (before && from - before.at < CHIP) before.texts.push(text);
    else chips.push({ kind, sign: signs[symbols[kind]], at: from, place: findings.x[number], texts: [text] });
    const bar = bars.at(-1);
    if (to - from < CHIP) continue;
    if (bar && from <= bar[1]) bar[1] = Math.max(bar[1], to);
    else bars.push([from, to]);
  }
  // A sign that stands for several has room for their number.
  for (const chip of chips) chip.half = (CHIP + (chip.texts.length > 1 ? 1 + DIGIT * String(chip.texts.length).length : 0)) / 2;
  const after = (one, other) => one.half + other.half + 1;
  chips.forEach((chip, number) => {
    const before = chips[number - 1];
    chip.x = Math.max(chip.at, begin + chip.half, before ? before.x + after(before, chip) : 0);
  });
  chips.reduceRight((next, chip) => {
    chip.x = Math.min(chip.x, next ? next.x - after(chip, next) : end + CHIP - chip.half);
    return chip;
  }, undefined);
  return { slot, words, chips, bars };
}

// Draw a plan. `theme`: colours and font of the page; `run`: the slot of the run that is brought out.
export function paint(pen, found, theme, run) {
  const { look, left, right, top, bottom, x, y, part } = found, [color, shape] = [slot => look.colors[slot], slot => look.shapes[slot]];
  const pale = slot => run !== undefined && run !== slot;
  const text = (words, at, height, how = {}) => {
    pen.font = `${how.bold ? 600 : 400} 12px ${theme.font}`;
    pen.fillStyle = how.color ?? theme.muted;
    pen.textAlign = how.align ?? 'left';
    pen.fillText(words, at, height);
  };
  const rule = (points, stroke, width = 1) => {
    pen.beginPath();
    points.forEach(([px, py], at) => (at ? pen.lineTo(px, py) : pen.moveTo(px, py)));
    Object.assign(pen, { strokeStyle: stroke, lineWidth: width });
    pen.stroke();
  };
  pen.textBaseline = 'alphabetic';
  pen.lineJoin = 'round';
  for (const tick of found.yTicks) {
    rule([[left, Math.round(y(tick)) + 0.5], [right, Math.round(y(tick)) + 0.5]], theme.grid);
    text(found.format(tick), left - 7, y(tick) + 4, { align: 'right' });
  }
  if (part.minus) rule([[left, Math.round(y(0)) + 0.5], [right, Math.round(y(0)) + 0.5]], theme.muted);
  const axis = Math.round(bottom) + 0.5;
  rule([[left, axis], [right, axis]], theme.control);
  for (const tick of found.xTicks) rule([[x(tick), axis], [x(tick), axis + 4]], theme.control);
  for (const { at, words } of found.xLabels) text(words, at, bottom + 16, { align: 'center' });
  if (found.wide) text(part.axis.toLowerCase().split(' ')[0], left - 7, bottom + 16, { align: 'right' });

  // The run that is brought out lies above the others.
  const order = [...found.shown].sort((one, other) =>
    (one.slot === run) - (other.slot === run) || (other.kind === 'train') - (one.kind === 'train') || other.number - one.number);
  pen.save();
  pen.beginPath();
  pen.rect(left, top - 6, found.width + 1, bottom - top + 7);
  pen.clip();
  for (const curve of order) {
    const behind = !found.front.includes(curve), out = curve.slot === run;
    const strength = pale(curve.slot) ? 0.1 : 1, smoothed = curve.faint.length > 0;
    const faintness = points => (points.length > MANY ? 0.25 : 0.4);
    if (smoothed) {
      pen.globalAlpha = strength * faintness(curve.faint) * (behind ? 0.5 : 1);
      rule(curve.faint.map(([px, py]) => [x(px), y(py)]), color(curve.slot));
    }
    pen.globalAlpha = strength * (!behind ? 1 : out ? 0.8 : smoothed ? 0.6 : faintness(curve.line));
    const usual = curve.kind === 'eval' && found.wide ? 2 : behind ? 1 : found.wide ? 1.6 : 1.3;
    rule(curve.pixels, color(curve.slot), out && !behind ? Math.max(2.75 * usual / 2, usual + 0.75) : usual);
    pen.globalAlpha = strength;
    pen.fillStyle = color(curve.slot);
    for (const [px, py] of thinned(curve, found)) {
      outline(pen, shape(curve.slot), px, py, found.wide ? 2.8 : 2);
      pen.fill();
    }
  }
  pen.restore();
  for (const curve of order) {
    pen.globalAlpha = pale(curve.slot) ? 0.1 : 1;
    pen.fillStyle = color(curve.slot);
    for (const [px, up] of excursions(curve, found)) caret(pen, px, up ? top - 5 : bottom - 1, up);
    if (curve.best && found.front.includes(curve)) {
      const [px, py] = [x(curve.best[0]), y(curve.best[1])];
      if (py >= top - 6 && py <= bottom + 1) {
        outline(pen, shape(curve.slot), px, py, look.runs.get(curve.slot)?.first ? 6 : 4.8);
        Object.assign(pen, { strokeStyle: theme.ground, lineWidth: 3, fillStyle: color(curve.slot) });
        pen.stroke();
        pen.fill();
      }
    }
  }
  nonfinite(pen, found, color, pale);
  if (found.labels) names(pen, found, theme, { run, text, rule, color, shape, pale });
  if (part.flag) flag(pen, found, theme, { text, rule, pale });
  health(pen, found, theme, { text, rule, color, pale });
  pen.globalAlpha = 1;
}

// Where a curve leaves the plot after it has been inside for a while: a spike that is beyond the edge is not hidden by it.
function excursions({ line, faint }, { x, y, top, bottom, first, last, bounds }) {
  if (!bounds) return [];
  const kept = [];
  for (const points of [line, faint]) {
    let since = Infinity; // since where it has been inside
    for (const [place, value] of points) {
      if (place < first || place > last) continue;
      const px = x(place), py = y(value), up = py < top - 6;
      if (!up && py <= bottom + 1) since = Math.min(since, px);
      else {
        if (px - since >= 2 * MARK_APART) kept.push([px, up]);
        since = Infinity;
      }
    }
  }
  return kept;
}

function caret(pen, x, y, up) {
  pen.beginPath();
  pen.moveTo(x - 3, y + (up ? 4 : -4));
  pen.lineTo(x + 3, y + (up ? 4 : -4));
  pen.lineTo(x, y);
  pen.closePath();
  pen.fill();
}

// The marks of a curve that do not touch: the first, the last and the extremes always, of the others what has room.
function thinned(curve, { x, y, first, last }) {
  const inside = curve.marks.filter(([place]) => place >= first && place <= last).map(([px, py]) => [x(px), y(py)]);
  if (inside.length < 3) return inside;
  let [low, high] = [0, 0];
  inside.forEach(([, py], at) => {
    if (py < inside[low][1]) low = at;
    if (py > inside[high][1]) high = at;
  });
  const kept = new Set([0, low, high, inside.length - 1]);
  const far = ([ax, ay], [bx, by]) => Math.hypot(ax - bx, ay - by) >= MARK_APART;
  const fixed = [...kept].sort((one, other) => one - other);
  let before = 0;
  for (let at = 1; at < inside.length; at++) {
    const next = fixed.find(each => each >= at);
    if (kept.has(at) || (far(inside[at], inside[before]) && far(inside[at], inside[next]))) {
      kept.add(at);
      before = at;
    }
  }
  return [...kept].map(at => inside[at]);
}

function nonfinite(pen, { part, curves, x, bottom, shown }, color, pale) {
  const { x: places, curve: numbers } = part.tables.nonfinite;
  for (let at = 0; at < places.length; at++) {
    const curve = curves[numbers[at]];
    if (!shown.includes(curve)) continue;
    pen.globalAlpha = pale(curve.slot) ? 0.1 : 1;
    pen.fillStyle = color(curve.slot);
    const px = x(places[at]);
    pen.beginPath();
    pen.moveTo(px - 4, bottom - 7);
    pen.lineTo(px + 4, bottom - 7);
    pen.lineTo(px, bottom);
    pen.closePath();
    pen.fill();
  }
}

function names(pen, { labels, right, look }, theme, { text, rule, color, shape, pale }) {
  for (const { curve, run, px, from, y, words } of labels) {
    const strength = pale(curve.slot) ? 0.3 : 1, early = right - px > 60;
    pen.globalAlpha = strength * (early ? 0.35 : 0.7);
    if (early) pen.setLineDash([1, 4]);
    rule([[px + 3, from], [right + 9, y], [right + 12, y]], color(curve.slot));
    pen.setLineDash([]);
    pen.globalAlpha = strength;
    outline(pen, shape(curve.slot), right + 19, y, 3.6);
    pen.fillStyle = color(curve.slot);
    pen.fill();
    text(run.short, right + 28, y + 4, { color: theme.text, bold: run.first });
    if (words) text(words, right + 34 + look.measure(run.short, run.first), y + 4);
  }
}

function flag(pen, { part, shown, x, y, top, bottom, first, last, look }, theme, { text, rule, pale }) {
  const { x: place, slot, text: words } = part.flag;
  if (place < first || place > last) return;
  const curve = shown.findLast(each => each.slot === slot && each.marks.length);
  const value = curve?.marks.reduce((one, other) => (Math.abs(other[0] - place) < Math.abs(one[0] - place) ? other : one))[1];
  pen.globalAlpha = pale(slot) ? 0.3 : 1;
  pen.setLineDash([1.5, 2.5]);
  const to = value === undefined ? bottom : y(value) - 8;
  if (to > top - 6) rule([[x(place), top - 6], [x(place), to]], theme.text);
  pen.setLineDash([]);
  const width = look.measure(words, true);
  text(words, Math.max(2, Math.min(x(place) - width / 2, look.width - width - 6)), top - 11, { color: theme.text, bold: true });
}

function health(pen, { lanes, left, right, look }, theme, { text, rule, color, pale }) {
  lanes.forEach(({ slot, words, chips, bars, y }, at) => {
    pen.globalAlpha = 1;
    if (!at) text('health', left - 7, y + 4, { align: 'right' });
    rule([[left, Math.round(y) + 0.5], [right, Math.round(y) + 0.5]], theme.grid);
    pen.globalAlpha = pale(slot) ? 0.03 : 0.28;
    for (const [from, to] of bars) rule([[from, y], [to, y]], color(slot), 4);
    pen.globalAlpha = pale(slot) ? 0.1 : 1;
    for (const { x, half, sign, texts } of chips) {
      const middle = x - half + CHIP / 2;
      pen.fillStyle = color(slot);
      rounded(pen, x - half, y - CHIP / 2, 2 * half, CHIP, 3);
      pen.fill();
      for (const stroke of sign) rule(stroke.map(([dx, dy]) => [middle + dx, y + dy]), '#fff', 1.5);
      if (texts.length > 1) text(String(texts.length), middle + CHIP / 2 - 1, y + 4, { color: '#fff', bold: true });
    }
    if (right + 13 + look.measure(words) <= look.width) text(words, right + 13, y + 4);
  });
}

function rounded(pen, x, y, width, height, by) {
  pen.beginPath();
  pen.moveTo(x + by, y);
  const corners = [[x + width, y], [x + width, y + height], [x, y + height], [x, y]];
  corners.forEach(([cx, cy], at) => {
    const [nx, ny] = corners[(at + 1) % 4];
    pen.arcTo(cx, cy, nx, ny, by);
  });
  pen.closePath();
}

// What is at a place: a chip of the lane, the label of a run, or the slot of a line.
export function hit(found, px, py) {
  for (const { slot, chips, y } of found.lanes) {
    if (Math.abs(y - py) > LANE / 2) continue;
    return { slot, chip: chips.find(each => Math.abs(each.x - px) <= each.half + 1), isLane: true };
  }
  for (const label of found.labels ?? [])
    if (px > found.right + 10 && Math.abs(label.y - py) <= APART / 2) return { slot: label.curve.slot, isLabel: true };
  let nearest = 7, slot;
  for (const curve of found.front) {
    const near = distance(curve.pixels, px, py);
    if (near < nearest) [nearest, slot] = [near, curve.slot];
  }
  return { slot };
}

function distance(pixels, px, py) {
  let [low, high] = [0, pixels.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (pixels[middle][0] <= px) low = middle;
    else high = middle;
  }
  if (high < 0 || px < pixels[low][0] - 7 || px > pixels[Math.max(high, 0)][0] + 7) return Infinity;
  const [x0, y0] = pixels[low], [x1, y1] = pixels[Math.max(high, 0)];
  const share = x1 > x0 ? Math.min(1, Math.max(0, (px - x0) / (x1 - x0))) : 0;
  const dx = x1 - x0, dy = y1 - y0, vertical = Math.abs(y0 + share * dy - py);
  return vertical * Math.abs(dx) / (Math.hypot(dx, dy) || 1) || (dx ? vertical : Math.abs(px - x0));
}
