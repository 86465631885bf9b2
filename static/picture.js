// A chart as a picture to keep: what draws on the page's canvas draws here into SVG.

const PRECISION = 10; // of a place: tenths of a pixel

// What of a canvas's pen the charts use, writing SVG.
export class SvgPen {
  constructor(width, height, ground) {
    Object.assign(this, { globalAlpha: 1, lineWidth: 1, dash: [], clipped: 0, parts: [], saved: [] });
    this.size = [width, height];
    this.put('rect', { width, height, fill: ground });
  }

  put(tag, attributes, words = '') {
    const told = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(String(value))}"`).join('');
    this.parts.push(words ? `<${tag}${told}>${escaped(words)}</${tag}>` : `<${tag}${told}/>`);
  }

  text() {
    const [width, height] = this.size;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`
      + `${this.parts.join('')}</svg>`;
  }

  save() { this.saved.push(this.globalAlpha); }

  restore() {
    this.globalAlpha = this.saved.pop();
    if (this.isClipped) this.parts.push('</g>');
    this.isClipped = false;
  }

  clip() {
    const id = `clip${++this.clipped}`;
    this.parts.push(`<clipPath id="${id}"><path d="${this.path}"/></clipPath><g clip-path="url(#${id})">`);
    this.isClipped = true;
  }

  beginPath() { this.path = ''; }
  moveTo(x, y) { this.path += `M${at(x)} ${at(y)}`; }
  lineTo(x, y) { this.path += `L${at(x)} ${at(y)}`; }
  closePath() { this.path += 'Z'; }
  rect(x, y, width, height) { this.path += `M${at(x)} ${at(y)}h${at(width)}v${at(height)}h${at(-width)}Z`; }
  arc(x, y, by) { this.path += `M${at(x - by)} ${at(y)}a${at(by)} ${at(by)} 0 1 0 ${at(2 * by)} 0a${at(by)} ${at(by)} 0 1 0 ${at(-2 * by)} 0Z`; }
  // Corners of so few pixels may be sharp.
  arcTo(x, y) { this.lineTo(x, y); }
  setLineDash(dash) { this.dash = dash; }
  fill() { this.put('path', { d: this.path, fill: this.fillStyle, opacity: this.globalAlpha }); }

  stroke() {
    const dash = this.dash.length ? { 'stroke-dasharray': this.dash.join(' ') } : {};
    this.put('path', { d: this.path, fill: 'none', stroke: this.strokeStyle, 'stroke-width': this.lineWidth,
      'stroke-linejoin': 'round', opacity: this.globalAlpha, ...dash });
  }

  fillText(words, x, y) {
    const [, weight, size, family] = this.font.match(/^(\d+) (\d+)px (.*)$/);
    const anchor = { left: 'start', center: 'middle', right: 'end' }[this.textAlign];
    this.put('text', { x: at(x), y: at(y), fill: this.fillStyle, opacity: this.globalAlpha, 'text-anchor': anchor,
      'font-family': family, 'font-size': size, 'font-weight': weight }, words);
  }
}

const at = value => Math.round(value * PRECISION) / PRECISION;
const escaped = words => words.replace(/[&<>"]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[sign]));
