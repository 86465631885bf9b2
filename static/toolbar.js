// The line above the charts: one tab stop, in which arrow keys move (the toolbar pattern of the ARIA practices).

const beside = name => new URL(name + new URL(import.meta.url).search, import.meta.url);
const { add, iconButton, popover } = await import(beside('controls.js'));

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
    this.minus = this.box('Difference', checked => change({ minus: [checked ? '1' : '0'] }));
    this.minus.setAttribute('aria-label', 'Difference to the baseline');
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
    this.files.setAttribute('role', 'menu');
    this.files.setAttribute('aria-label', 'Download');
    this.download.setAttribute('aria-haspopup', 'menu');
    this.files.addEventListener('toggle', event => { if (event.newState === 'open') this.files.firstElementChild?.focus(); });
    this.files.onkeydown = event => this.choose(event);
    this.help = popover(iconButton(icons, 'help', 'How to read'), this.bar, 'runoff-help');
    this.making = add(icons, 'span', 'runoff-making');
    this.making.setAttribute('role', 'status');
    this.bar.addEventListener('focusin', event => this.stop(event.target));
    this.bar.addEventListener('keydown', event => this.press(event));
    // Whoever took the slider with the pointer moves it by all four keys; else left and right go to the next control.
    this.slider.addEventListener('pointerdown', () => { this.isHeld = true; });
    this.slider.addEventListener('blur', () => { this.isHeld = false; });
  }

  get controls() {
    return [...this.bar.querySelectorAll('input, select, button')].filter(each => !each.disabled && !each.closest('.runoff-popover'));
  }

  // Let one of the controls be where Tab comes to.
  stop(control) {
    const { controls } = this;
    const chosen = [control, this.stopped, this.modes.querySelector(':checked'), ...controls].find(each => controls.includes(each));
    this.stopped = chosen;
    for (const each of this.bar.querySelectorAll('input, select, .runoff-icon')) each.tabIndex = each === chosen ? 0 : -1;
  }

  press(event) {
    const { controls } = this, at = controls.indexOf(event.target), { target, key } = event;
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (key === 'ArrowDown' && target === this.download) {
      this.files.showPopover();
      event.preventDefault();
      return;
    }
    const isField = target.type === 'text', isOwn = isField || target === this.slider;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: isOwn ? undefined : 0, End: isOwn ? undefined : controls.length - 1 }[key];
    if (to === undefined || (target === this.slider && this.isHeld)) return;
    // In a text they move within it first.
    const edge = key === 'ArrowLeft' ? 0 : target.value?.length;
    const isWhole = isField && target.selectionStart === 0 && target.selectionEnd === target.value.length;
    if (isField && !isWhole && !(target.selectionStart === edge && target.selectionEnd === edge)) return;
    event.preventDefault();
    const next = controls[(to + controls.length) % controls.length];
    next.focus();
    if (next.type === 'text') next.select();
  }

  // Within the open menu.
  choose(event) {
    const items = [...this.files.children], at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? items.length - 1 : at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') {
      this.files.hidePopover();
      this.download.focus();
      // Tab goes on from the button.
      if (event.key === 'Tab') return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Say what is being made; "" for nothing any more.
  say(words) {
    this.making.textContent = words;
  }

  box(words, change) {
    const label = add(this.bar, 'label', 'runoff-check'), found = add(label, 'input');
    found.type = 'checkbox';
    label.append(words);
    found.onchange = () => change(found.checked);
    return found;
  }

  show({ values, modes, axes, weights, extent, whole, help, baseline }, { clips, canClip, charts, csv }) {
    Object.assign(this, { weights, extent, whole, charts, csv, values });
    if (!this.axis.childElementCount) {
      for (const [value, words] of axes) add(this.axis, 'option', '', words).value = value;
      for (const [title, words] of help) {
        const line = add(this.help, 'p');
        add(line, 'b', '', `${title}. `);
        line.append(words);
      }
    }
    this.choices(modes);
    for (const input of this.modes.querySelectorAll('input')) input.checked = input.value === values.loss;
    this.axis.value = values.x;
    this.slider.max = weights.length - 1;
    if (!this.slider.matches(':active')) this.slider.value = weights.indexOf(values.smooth);
    this.slid(() => {});
    this.log.checked = values.log;
    // A difference may be below zero.
    this.log.disabled = Boolean(baseline && values.minus);
    this.minus.checked = values.minus;
    this.minus.disabled = !baseline;
    Object.assign(this.minus.parentElement, { hidden: !baseline, title: `Draw the differences to ${baseline}` });
    this.outliers.checked = clips;
    this.outliers.disabled = !canClip;
    const title = axes.find(([value]) => value === values.x)[1];
    this.ends.forEach((field, end) => {
      field.setAttribute('aria-label', `${title} ${end ? 'to' : 'from'}`);
      field.disabled = !extent;
      if (document.activeElement !== field) this.fill(field, extent ? spoken((values.zoom ?? extent)[end]) : '');
    });
    this.reset.disabled = !values.zoom;
    this.stop(document.activeElement);
  }

  // Which losses can be shown: one more where some do not compare.
  choices(modes) {
    const there = [...this.modes.querySelectorAll('input')].map(input => input.value);
    if (there.join() === modes.map(([value]) => value).join()) return;
    const isFocused = this.modes.contains(document.activeElement);
    this.modes.replaceChildren();
    for (const [value, words] of modes) {
      const label = add(this.modes, 'label'), input = add(label, 'input');
      Object.assign(input, { type: 'radio', name: 'runoff-loss', value, onchange: () => this.change({ loss: [value] }) });
      add(label, 'span', '', words);
    }
    if (isFocused) this.modes.querySelector(`[value="${this.values.loss}"]`)?.focus();
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
    const within = place => Math.min(Math.max(place, this.extent[0]), this.extent[1]);
    const [start, end] = [one, other].sort((first, second) => first - second).map(within);
    const isRange = start < end && !(start <= this.extent[0] && end >= this.extent[1]);
    // Two ends that leave nothing between them are no range; the whole axis is none either.
    this.change({ zoom: isRange ? [`${start}~${end}`] : null });
    const ends = isRange ? [start, end] : this.extent;
    this.ends.forEach((field, at) => this.fill(field, spoken(ends[at])));
  }

  // A field is as wide as its number: those of tokens have nine digits and more.
  fill(field, text) {
    field.value = text;
    field.style.setProperty('--letters', text.length);
  }

  offer(download) {
    this.files.replaceChildren();
    const choose = (words, press) => {
      const button = add(this.files, 'button', '', words);
      button.type = 'button';
      button.tabIndex = -1;
      button.setAttribute('role', 'menuitem');
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
      choose(`${title} as CSV, as drawn`, () => download(key, 'csv'));
      choose(`${title} as CSV, all points`, () => download(key, 'points'));
    }
    if (this.csv) choose('All values in view as CSV', () => download('', 'csv'));
  }
}

