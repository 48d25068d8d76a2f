// The browser's half of splittimer.annotate. Python sends the film's address and the table of its timestamps (PTS);
// this half plays the film, tells by that table which frame is on screen, and keeps the marks.

const icons = {
  play: 'M7 4.5v15l12.5-7.5z', pause: 'M6.5 4.5h4v15h-4zM13.5 4.5h4v15h-4z',
  back: 'M15 5l-7 7 7 7z', forth: 'M9 5l7 7-7 7z', back1: 'M12 5l-7 7 7 7zM19 5l-7 7 7 7z', forth1: 'M12 5l7 7-7 7zM5 5l7 7-7 7z',
  prev: 'M5 5h2.6v14H5zM19 5v14L9 12z', next: 'M16.4 5H19v14h-2.6zM5 5v14l10-7z',
  flag: 'M6 3.5h1.8V21H6zM9 4h10l-3 4 3 4H9z', plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z', minus: 'M5 11h14v2H5z',
  fit: 'M4 6h2v12H4zM18 6h2v12h-2zM7 12l4-4v3h2V8l4 4-4 4v-3h-2v3z', cross: 'M6.4 5L12 10.6 17.6 5 19 6.4 13.4 12 19 17.6 17.6 19 12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z',
  check: 'M9.5 18.5L3.8 12.8l1.6-1.6 4.1 4.1 9.1-9.1 1.6 1.6z', full: 'M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z',
};
const keys = [
  ['Space', 'play and pause'], ['← →', 'one frame back, forth'], ['⇧ ← →', 'one second back, forth'], ['↑ ↓', 'mark or prediction before, after'], ['Home End', 'first, last frame'], ['[ ]', 'slower, faster'],
  ['M', 'mark this frame'], ['R', 'move the selected mark here'], ['Alt ← →', 'move it by a frame'], ['Del', 'delete it'], ['N', 'name it'], ['0 … 9', 'go to a split'],
  ['A', 'accept the prediction'], ['O', 'reference over the film'], ['+ − F', 'zoom in, out, whole film'], ['Ctrl Z', 'undo; with ⇧ redo'], ['Ctrl S', 'save'], ['?', 'this help'],
];

function h(tag, props = {}, ...kids) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) k in e && k !== 'list' ? (e[k] = v) : e.setAttribute(k, v);
  e.append(...kids.filter(o => o != null));
  return e;
}
function icon(name) {
  const s = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), p = document.createElementNS(s.namespaceURI, 'path');
  s.setAttribute('viewBox', '0 0 24 24'); p.setAttribute('d', icons[name]); s.append(p);
  return s;
}
const clamp = (x, a, b) => Math.min(Math.max(x, a), b);
const pad = (n, w = 2) => String(n).padStart(w, '0');
function clock(t, digits = 3) {
  const q = 10**digits, n = Math.round(Math.max(t, 0)*q), m = Math.floor(n/q/60), hours = Math.floor(m/60);
  return (hours ? hours + ':' + pad(m % 60) : pad(m)) + ':' + pad(Math.floor(n/q) % 60) + (digits ? '.' + pad(n % q, digits) : '');
}

// ---- which frame is on screen

class Player {
  // A <video> whose frames are known by number. Browsers do not agree on which frame a seek to a given second shows where frames are unevenly
  // spaced, so nothing is assumed: the media time of the picture presented tells which one it is, and the seek is corrected until it is the one asked for.
  constructor(video, changed) {
    Object.assign(this, {video, changed, pts: new Float64Array([0]), duration: 0, shown: 0, want: null, offset: 0, ready: false, heard: 0, going: null, ahead: null, corrections: 0});
    this.tells = 'requestVideoFrameCallback' in HTMLVideoElement.prototype;
    video.addEventListener('timeupdate', () => { if (!this.tells && this.ready && !video.seeking) { this.shown = this.last(video.currentTime + 1e-6); changed(); } });
    video.addEventListener('pause', () => { if (!this.tells && this.ready) this.go(this.shown); changed(); });
    for (const e of ['play', 'ended', 'ratechange']) video.addEventListener(e, () => changed());
    if (!this.tells) return;
    const presented = (_, meta) => {
      this.mediaTime = meta.mediaTime; this.heard++;
      this.shown = this.nearest(meta.mediaTime - this.offset);
      this.each?.();
      changed();
      video.requestVideoFrameCallback(presented);
    };
    video.requestVideoFrameCallback(presented);
  }
  get n() { return this.pts.length; }
  get at() { return this.want ?? this.shown; }
  get time() { return this.pts[this.at]; }
  end(k) { return k + 1 < this.n ? this.pts[k + 1] : Math.max(this.duration, this.pts[k] + 1e-3); }
  last(t) { let a = 0, b = this.n; while (a < b) { const m = (a + b) >> 1; this.pts[m] <= t ? a = m + 1 : b = m; } return Math.max(a - 1, 0); }
  nearest(t) { const k = this.last(t); return k + 1 < this.n && this.pts[k + 1] - t < t - this.pts[k] ? k + 1 : k; }

  async load(url, pts, duration) {
    await this.settled();
    Object.assign(this, {pts, duration, ready: false, shown: 0, want: null, offset: 0, ahead: null});
    const video = this.video;
    await new Promise((ok, no) => { video.onloadeddata = ok; video.onerror = () => no(new Error('media')); video.src = url; video.load(); });
    video.onloadeddata = null; video.onerror = () => this.broke?.();
    if (this.tells) {
      this.heard = 0;
      await this.seek(0);
      this.offset = this.heard ? this.mediaTime : 0; // where the browser's clock stands at the first frame
      this.shown = 0;
      for (const k of new Set([this.n >> 1, this.n - 1])) { // trust, but check
        await this.go(k);
        if (video.error) throw new Error('media');
        const j = this.shown, step = j ? this.pts[j] - this.pts[j - 1] : this.end(0);
        if (Math.abs(j - k) > 1 || Math.abs(this.mediaTime - this.offset - this.pts[j]) > step/4 + 1e-3) throw new Error('times');
      }
    }
    this.ready = true;
  }
  go(k) { // resolves when frame `k`, or whatever was asked for since, is on screen
    this.want = clamp(Math.round(k), 0, this.n - 1);
    this.going ??= this.run().finally(() => { this.going = null; this.changed(); });
    this.changed();
    return this.going;
  }
  settled() { return this.going ?? Promise.resolve(); }
  async run() {
    while (this.want !== null) { const k = this.want; await this.show(k); if (this.want === k) this.want = null; }
  }
  seek(t) { // resolves when the picture is there and has told its time
    const v = this.video, before = this.heard, wait = ms => new Promise(ok => setTimeout(ok, ms));
    return new Promise(ok => {
      const stop = new AbortController();
      v.addEventListener('error', () => { stop.abort(); this.want = null; ok(); }, {signal: stop.signal});
      v.addEventListener('seeked', async () => {
        stop.abort();
        if (this.tells) {
          for (let i = 0; i < 25 && this.heard === before; i++) await wait(10); // the same picture need not be presented again
          for (let h = -1; h !== this.heard;) { h = this.heard; await wait(16); } // one from before the seek may still have been on its way
        } else this.shown = this.last(t);
        ok();
      }, {once: true, signal: stop.signal});
      v.currentTime = Math.max(0, t + this.offset);
    });
  }
  async show(k) {
    const {pts} = this, middle = (pts[k] + this.end(k))/2, v = this.video;
    if (this.ready && v.paused && this.shown === k) return;
    v.pause();
    // Chromium drops frames that end before the second sought, and takes all frames for equally long: `ahead` is what it adds to each
    let t = this.ahead === null || !k ? middle : (pts[k - 1] + pts[k])/2 + this.ahead, low = -Infinity, high = Infinity;
    for (let i = 0; i < 4; i++) {
      t = clamp(t, 0, k === this.n - 1 ? this.duration : Math.max(this.duration - 1e-4, 0));
      await this.seek(t);
      if (this.want !== k) return;
      if (this.shown === k) { if (i && k) this.ahead = t - (pts[k - 1] + pts[k])/2; return; }
      this.corrections++;
      this.shown < k ? low = Math.max(low, t) : high = Math.min(high, t);
      const next = t + pts[k] - pts[this.shown];
      t = next > low && next < high ? next : high - low < 1 ? (low + high)/2 : next;
      if (high - low < 1e-4 || t <= low && low >= this.duration - 1e-3) break;
    }
    for (let i = 0; i < 3 && this.shown !== k && this.want === k; i++) await this.creep(k, i);
  }
  async creep(k, again) { // where no seek leads to the frame: play up to it, slowly
    const v = this.video, rate = v.playbackRate, from = k ? this.pts[k] - Math.min((this.pts[k] - this.pts[k - 1])/2, .04) : 0;
    for (let i = 0; i < 4 && (!i || this.shown >= k); i++) await this.seek(Math.max(0, from - .2*i));
    if (this.shown >= k || this.want !== k) return;
    v.playbackRate = clamp(8*(this.end(k) - this.pts[k])/2**again, .0625, 1);
    await new Promise(ok => {
      const stop = setTimeout(ok, 6000);
      this.each = () => { if (this.shown >= k || this.want !== k) { v.pause(); clearTimeout(stop); ok(); } };
      v.play().catch(ok);
    });
    this.each = null; v.pause(); v.playbackRate = rate;
    for (let h = -1; h !== this.heard;) { h = this.heard; await new Promise(ok => setTimeout(ok, 40)); }
  }
  async toggle() {
    const v = this.video;
    if (!v.paused) return v.pause();
    if (this.at >= this.n - 1) await this.go(0);
    await this.settled();
    await v.play().catch(() => {});
  }
}

// ---- the marks: an entry {t, name} a split; t is null while it is not marked

class Marks {
  constructor(model, said) { Object.assign(this, {model, said, undone: [], done: []}); }
  get all() { return this.model.get('marks'); }
  get fixed() { return this.model.get('count') > 0; }
  get dirty() { return JSON.stringify(this.all) !== JSON.stringify(this.model.get('saved')); }
  label(i) {
    const given = this.all[i]?.name;
    return given || (i === 0 ? 'start' : this.fixed && i === this.all.length - 1 ? 'finish' : `split ${i}`);
  }
  commit(next) { this.done.push(this.all); this.undone = []; this.write(next); return true; }
  write(next) { this.model.set('marks', next); this.model.save_changes(); }
  undo() { if (this.done.length) { this.undone.push(this.all); this.write(this.done.pop()); this.said('undone'); } else this.said('nothing to undo'); }
  redo() { if (this.undone.length) { this.done.push(this.all); this.write(this.undone.pop()); this.said('done again'); } else this.said('nothing to redo'); }
  bounds(i) { // between which times mark `i` may lie
    const t = this.all.map(o => o.t), before = t.slice(0, i).filter(o => o !== null), after = t.slice(i + 1).filter(o => o !== null);
    return [before.length ? before.at(-1) : -1, after.length ? after[0] : Infinity];
  }
  put(i, t) {
    const [a, b] = this.bounds(i), near = t <= a ? this.all.findLastIndex((o, j) => j < i && o.t !== null) : this.all.findIndex((o, j) => j > i && o.t !== null);
    if (t <= a || t >= b) { this.said(`${this.label(i)} has to be ${t <= a ? 'later' : 'earlier'} than ${this.label(near)}, ${clock(t <= a ? a : b)}`, 'warn'); return false; }
    return this.all[i].t === t || this.commit(this.all.map((o, j) => j === i ? {...o, t} : o));
  }
  insert(t) {
    const same = this.all.findIndex(o => o.t === t);
    if (same >= 0) { this.said('this frame is marked already'); return same; }
    const i = this.all.filter(o => o.t < t).length;
    this.commit([...this.all.slice(0, i), {t, name: ''}, ...this.all.slice(i)]);
    return i;
  }
  drop(i) { if (this.all[i]) this.commit(this.fixed ? this.all.map((o, j) => j === i ? {...o, t: null} : o) : this.all.filter((_, j) => j !== i)); }
  name(i, name) { this.commit(this.all.map((o, j) => j === i ? {...o, name} : o)); }
}

// ---- the timeline

class Timeline {
  constructor(app) {
    this.app = app; this.view = [0, 1]; this.hits = []; this.pictures = new Map();
    this.canvas = h('canvas', {className: 'st-timeline'});
    const c = this.canvas;
    c.addEventListener('pointerdown', e => this.down(e)); c.addEventListener('pointermove', e => this.move(e)); c.addEventListener('pointerup', e => this.up(e));
    c.addEventListener('pointercancel', e => this.up(e)); c.addEventListener('pointerleave', () => { this.hover = null; app.refresh(); });
    c.addEventListener('dblclick', e => { const hit = this.hit(e); if (hit) app.rename(hit.i); });
    c.addEventListener('wheel', e => {
      if (!(e.ctrlKey || e.metaKey || e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY))) return;
      e.preventDefault();
      if (e.ctrlKey || e.metaKey) this.zoom(Math.exp(e.deltaY*(e.deltaMode ? .05 : .004)), this.time(e));
      else this.pan((e.deltaX || e.deltaY)*(this.view[1] - this.view[0])/this.w);
    }, {passive: false});
    new ResizeObserver(() => app.refresh()).observe(c);
  }
  get w() { return this.canvas.clientWidth || 1; }
  get total() { return this.app.player.duration || 1; }
  x(t) { return (t - this.view[0])/(this.view[1] - this.view[0])*this.w; }
  time(e) { return this.view[0] + this.px(e)/this.w*(this.view[1] - this.view[0]); }
  px(e) { return e.clientX - this.canvas.getBoundingClientRect().left; }
  py(e) { return e.clientY - this.canvas.getBoundingClientRect().top; }
  whole() { this.set(0, this.total); }
  set(a, b) {
    const least = Math.min(this.total, 14*this.total/this.app.player.n), span = clamp(b - a, least, this.total);
    a = clamp(a + (b - a - span)/2, 0, this.total - span);
    this.view = [a, a + span]; this.app.refresh();
  }
  zoom(f, t = this.app.player.time) { const [a, b] = this.view; t = clamp(t, a, b); this.set(t - (t - a)*f, t + (b - t)*f); }
  pan(d) { this.set(this.view[0] + d, this.view[1] + d); }
  follow(t) { const [a, b] = this.view, s = b - a; if (!this.drag && (t < a || t > b)) this.set(t - s*(t > b ? .1 : .5), t + s*(t > b ? .9 : .5)); }

  hit(e) { const x = this.px(e), y = this.py(e); return this.hits.findLast(o => x >= o.x0 - 3 && x <= o.x1 + 3 && y >= o.y0 && y <= o.y1); }
  down(e) {
    if (e.button) return;
    this.canvas.setPointerCapture(e.pointerId); this.app.focus();
    const hit = this.hit(e), y = this.py(e);
    this.app.player.video.pause();
    if (y > this.overview - 3) this.drag = {what: 'pan'};
    else if (hit) { this.drag = {what: hit.mark ? 'flag' : 'offer', i: hit.i, x: this.px(e)}; this.app.select(hit.i, true); }
    else this.drag = {what: 'scrub'};
    this.move(e);
  }
  move(e) {
    const {player} = this.app, d = this.drag, k = player.nearest(clamp(this.time(e), 0, this.total));
    this.hover = {x: this.px(e), y: this.py(e), t: clamp(this.time(e), 0, this.total)};
    this.canvas.style.cursor = d?.what === 'flag' ? 'grabbing' : this.hit(e) ? 'grab' : 'default';
    if (d?.what === 'scrub') player.go(k);
    if (d?.what === 'pan') { const t = this.px(e)/this.w*this.total, s = this.view[1] - this.view[0]; this.set(t - s/2, t + s/2); }
    if (d?.what === 'flag' && (d.moved ||= Math.abs(this.px(e) - d.x) > 4)) {
      const [a, b] = this.app.marks.bounds(d.i);
      if (player.pts[k] > a && player.pts[k] < b) { d.t = player.pts[k]; player.go(k); }
    }
    this.app.refresh();
  }
  up() {
    const d = this.drag; this.drag = null;
    if (d?.t !== undefined) this.app.marks.put(d.i, d.t);
    this.app.refresh();
  }

  picture(src) {
    let p = this.pictures.get(src);
    if (!p) { p = h('img', {src, onload: () => this.app.refresh()}); this.pictures.set(src, p); }
    return p.complete && p.naturalWidth ? p : null;
  }
  draw() {
    const {app, canvas: c} = this, {player, marks, colour: C} = app, dpr = window.devicePixelRatio || 1, w = this.w, H = c.clientHeight, g = c.getContext('2d');
    if (c.width !== Math.round(w*dpr) || c.height !== Math.round(H*dpr)) { c.width = Math.round(w*dpr); c.height = Math.round(H*dpr); }
    g.setTransform(dpr, 0, 0, dpr, 0, 0); g.clearRect(0, 0, w, H);
    const font = getComputedStyle(c).fontFamily, [a, b] = this.view, lane = 21, strip = 45, under = H - 18;
    this.overview = H - 10; this.hits = [];
    g.font = `10.5px ${font}`; g.textBaseline = 'middle';
    this.drawRuler(g, C, w, a, b, strip);
    this.drawStrip(g, C, w, strip, under);
    const list = marks.all.map((o, i) => ({i, t: this.drag?.what === 'flag' && this.drag.i === i && this.drag.t !== undefined ? this.drag.t : o.t})), set = list.filter(o => o.t !== null);
    for (let j = 1; j < set.length; j++) { // sectors
      const x0 = this.x(set[j-1].t), x1 = this.x(set[j].t), text = (set[j].t - set[j-1].t).toFixed(3);
      g.fillStyle = C.mark; g.globalAlpha = .85; g.fillRect(x0, under - 2.5, x1 - x0, 2.5); g.globalAlpha = 1;
      const m0 = Math.max(x0, 0), m1 = Math.min(x1, w), tw = g.measureText(text).width;
      if (m1 - m0 > tw + 18) {
        g.fillStyle = 'rgba(8,10,14,.68)'; g.beginPath(); g.roundRect((m0 + m1 - tw)/2 - 5, under - 20, tw + 10, 15, 4); g.fill();
        g.fillStyle = '#f4f6fa'; g.textAlign = 'center'; g.fillText(text, (m0 + m1)/2, under - 12);
      }
    }
    for (const o of app.offers) if (o.t !== null) this.drawOffer(g, C, o, lane, strip, under);
    for (const o of [...set.filter(o => o.i !== app.selected), ...set.filter(o => o.i === app.selected)]) this.drawFlag(g, C, o, lane, under);
    if (this.hover && !this.drag && this.hover.y < this.overview - 3) {
      g.fillStyle = C.dim; g.globalAlpha = .6; g.fillRect(this.hover.x - .5, 0, 1, under); g.globalAlpha = 1;
      this.tag(g, clock(this.hover.t), this.hover.x, 8, C.line, C.text, w);
    }
    const x = this.x(player.time);
    g.fillStyle = C.head; g.fillRect(x - .75, 0, 1.5, under);
    g.beginPath(); g.moveTo(x - 6, 0); g.lineTo(x + 6, 0); g.lineTo(x + 6, 5); g.lineTo(x, 12); g.lineTo(x - 6, 5); g.fill();
    this.drawOverview(g, C, w, set);
  }
  tag(g, text, x, y, back, front, w) {
    const tw = g.measureText(text).width + 10, x0 = clamp(x - tw/2, 0, w - tw);
    g.fillStyle = back; g.beginPath(); g.roundRect(x0, y - 8, tw, 16, 4); g.fill();
    g.fillStyle = front; g.textAlign = 'left'; g.fillText(text, x0 + 5, y + .5);
    return [x0, x0 + tw];
  }
  drawRuler(g, C, w, a, b, strip) {
    const steps = [.01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600], per = w/(b - a), big = steps.find(s => s*per > 74) ?? 1200, small = big/([.2, 2, 15, 30, .02].includes(big) ? (big === 15 || big === 30 ? 3 : 4) : 5);
    g.fillStyle = C.dim;
    for (let i = Math.ceil(a/small); i*small <= b; i++) { g.globalAlpha = .45; g.fillRect(Math.round(this.x(i*small)), 14, 1, 4); }
    g.globalAlpha = 1; g.textAlign = 'left';
    for (let i = Math.floor(a/big); i*big <= b; i++) {
      const x = Math.round(this.x(i*big));
      g.fillRect(x, 10, 1, 8);
      const text = clock(i*big, big < .1 ? 2 : big < 1 ? 1 : 0);
      if (x + 4 + g.measureText(text).width < w) g.fillText(text, x + 4, 8);
    }
    const {pts} = this.app.player, first = this.app.player.last(a);
    if (per*(b - a)/Math.max(1, this.app.player.last(b) - first) > 5) { // every frame has its tick
      g.fillStyle = C.offer;
      for (let k = first; k < pts.length && pts[k] <= b; k++) g.fillRect(this.x(pts[k]) - .5, strip - 4, 1, 4);
    }
  }
  drawStrip(g, C, w, top, bottom) {
    const strip = this.app.model.get('strip'), hgt = bottom - top;
    g.fillStyle = C.well; g.fillRect(0, top, w, hgt);
    if (!strip.length) return;
    g.save(); g.beginPath(); g.rect(0, top, w, hgt); g.clip();
    const [pw, ph] = this.app.model.get('film').size, tw = Math.max(24, hgt*pw/ph), n = Math.ceil(w/tw);
    for (let i = 0; i < n; i++) {
      const t = this.view[0] + (i + .5)/n*(this.view[1] - this.view[0]), near = strip.reduce((p, q) => Math.abs(q.t - t) < Math.abs(p.t - t) ? q : p), p = this.picture(near.src);
      if (p) g.drawImage(p, i*tw, top, tw, hgt);
    }
    g.fillStyle = C.veil; g.fillRect(0, top, w, hgt);
    g.restore();
  }
  drawOffer(g, C, o, lane, strip, under) {
    const marked = this.app.marks.all[o.split]?.t != null, x0 = this.x(o.low), x1 = this.x(o.high), x = this.x(o.t), hue = o.status === 'found' ? C.offer : C.warn;
    const left = Math.min(x0, x - 1), wide = Math.max(x1 - x0, 2);
    g.fillStyle = hue; g.globalAlpha = marked ? .2 : .36; g.fillRect(left, lane, wide, strip - lane); g.globalAlpha = marked ? .12 : .24; g.fillRect(left, strip, wide, under - strip);
    g.globalAlpha = marked ? .4 : 1; g.strokeStyle = hue; g.setLineDash([3, 3]); g.beginPath(); g.moveTo(x, lane + 16); g.lineTo(x, under); g.stroke(); g.setLineDash([]);
    if (!marked) {
      const text = o.status === 'found' ? String(o.split) : `${o.split} ?`, tw = g.measureText(text).width;
      g.fillStyle = C.panel; g.lineWidth = this.app.selected === o.split ? 2 : 1.2; g.beginPath(); g.roundRect(x, lane, tw + 12, 17, [0, 8, 8, 0]); g.fill(); g.stroke(); g.lineWidth = 1;
      g.fillStyle = hue; g.textAlign = 'left'; g.fillText(text, x + 6, lane + 9);
      this.hits.push({i: o.split, mark: false, x0: x, x1: x + tw + 12, y0: lane, y1: lane + 20});
    }
    g.globalAlpha = 1;
  }
  drawFlag(g, C, {i, t}, lane, under) {
    const x = this.x(t), on = i === this.app.selected, name = this.app.marks.label(i), text = on ? name : String(i), tw = g.measureText(text).width;
    if (x < -120 || x > this.w + 5) return;
    g.fillStyle = C.mark; g.fillRect(x - .75, lane, 1.5, under - lane);
    g.beginPath(); g.roundRect(x - .75, lane, tw + 13, 18, [0, 9, 9, 0]); g.fill();
    if (on) { g.strokeStyle = C.text; g.lineWidth = 1.6; g.stroke(); g.lineWidth = 1; }
    g.fillStyle = C.onmark; g.textAlign = 'left'; g.fillText(text, x + 5, lane + 9.5);
    this.hits.push({i, mark: true, x0: x, x1: x + tw + 13, y0: lane, y1: lane + 20});
  }
  drawOverview(g, C, w, set) {
    const y = this.overview, X = t => t/this.total*w, [a, b] = this.view;
    g.fillStyle = C.line; g.beginPath(); g.roundRect(0, y + 2, w, 6, 3); g.fill();
    g.fillStyle = C.dim; g.globalAlpha = .55; g.beginPath(); g.roundRect(X(a), y + 2, Math.max(X(b) - X(a), 8), 6, 3); g.fill(); g.globalAlpha = 1;
    g.fillStyle = C.offer; for (const o of this.app.offers) if (o.t !== null) g.fillRect(X(o.t) - .75, y + 1, 1.5, 8);
    g.fillStyle = C.mark; for (const o of set) g.fillRect(X(o.t) - .75, y, 1.5, 10);
    g.fillStyle = C.head; g.fillRect(X(this.app.player.time) - 1, y - 1, 2, 12);
  }
}

// ---- the whole

class App {
  constructor(model, el) {
    this.model = model; this.el = el; this.selected = 0; this.colour = {};
    this.marks = new Marks(model, (...o) => this.say(...o));
    this.build();
    this.player = new Player(this.video, () => this.refresh());
    this.player.broke = () => { if (this.player.ready) { this.player.ready = false; this.cannot(new Error('media'), this.model.get('film')); } };
    this.timeline = new Timeline(this);
    this.lane.prepend(this.timeline.canvas);
    this.listen();
    this.theme();
    this.list();
    this.open();
  }
  get offers() { return this.model.get('offers'); }
  offer(i) { return this.offers.find(o => o.split === i); }
  focus() { this.keys.focus({preventScroll: true}); }

  build() {
    const film = this.model.get('film'), B = (name, tip, act, cls = '') => h('button', {className: 'st-icon ' + cls, title: tip, type: 'button', onclick: () => { act(); this.focus(); }, ariaLabel: tip}, icon(name));
    this.keys = h('input', {className: 'st-keys', inputMode: 'none', ariaLabel: 'keyboard control of the film', autocomplete: 'off'});
    this.video = h('video', {crossOrigin: 'anonymous', muted: true, playsInline: true, preload: 'auto', disablePictureInPicture: true});
    this.ghost = h('img', {className: 'st-ghost', alt: ''});
    this.notice = h('div', {className: 'st-notice'});
    this.hud = h('div', {className: 'st-hud'});
    this.screen = h('div', {className: 'st-screen', onclick: () => { this.player.toggle(); this.focus(); }}, this.video, this.ghost, this.hud, this.notice);
    this.screen.style.aspectRatio = film.size.join('/');
    this.time = h('output', {className: 'st-time'}); this.frame = h('output', {className: 'st-frame'});
    this.playButton = B('play', 'play or pause (Space)', () => this.player.toggle(), 'st-play');
    this.rate = h('select', {className: 'st-rate', title: 'speed ([ and ])', onchange: () => { this.video.playbackRate = +this.rate.value; this.focus(); }},
      ...[.1, .25, .5, 1, 2, 4].map(r => h('option', {value: r, selected: r === 1}, `${r}×`)));
    this.markButton = h('button', {className: 'st-mark', type: 'button', title: 'mark the frame on screen (M)', onclick: () => { this.mark(); this.focus(); }});
    this.saveButton = h('button', {className: 'st-save', type: 'button', title: 'save (Ctrl S)', onclick: () => { this.save(); this.focus(); }});
    this.status = h('div', {className: 'st-status', role: 'status'});
    this.refImage = h('img', {alt: ''}); this.refText = h('figcaption');
    this.ref = h('figure', {className: 'st-ref'}, this.refImage, this.refText);
    this.cards = h('ol', {className: 'st-cards'}); this.heads = h('div', {className: 'st-heads'});
    this.predict = h('button', {className: 'st-predict', type: 'button', onclick: () => { this.model.send({do: 'predict'}); this.focus(); }});
    this.lane = h('div', {className: 'st-lane'}, h('div', {className: 'st-zoom'},
      B('plus', 'zoom in (+)', () => this.timeline.zoom(.5)), B('minus', 'zoom out (−)', () => this.timeline.zoom(2)), B('fit', 'whole film (F)', () => this.timeline.whole())));
    this.help = h('div', {className: 'st-help', hidden: true, onclick: () => this.toggleHelp()}, h('div', {},
      h('h4', {}, 'Keys'), h('dl', {}, ...keys.flatMap(([k, what]) => [h('dt', {}, ...k.split(' ').map(o => o === '…' ? '…' : h('kbd', {}, o))), h('dd', {}, what)])),
      h('p', {}, 'Drag a flag to move it, double-click to name it. Ctrl and wheel zoom the timeline, ⇧ and wheel move along it.')));
    this.root = h('div', {className: 'st-annotate', 'data-lm-suppress-shortcuts': 'true'}, this.keys, h('div', {className: 'st-body'},
      h('header', {}, h('strong', {}, film.rider), h('span', {className: 'st-dim'}, film.track), h('span', {className: 'st-dim st-facts'}, film.facts), h('span', {className: 'st-grow'}),
        B('full', 'full screen', () => document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen?.()),
        h('button', {className: 'st-icon st-q', type: 'button', title: 'keys (?)', onclick: () => { this.toggleHelp(); this.focus(); }}, '?'), this.saveButton),
      h('div', {className: 'st-main'},
        h('section', {className: 'st-stage'}, this.screen,
          h('div', {className: 'st-bar'},
            h('div', {className: 'st-read'}, this.time, this.frame),
            h('div', {className: 'st-transport'},
              B('prev', 'mark or prediction before (↑)', () => this.jump(-1)), B('back1', 'one second back (⇧ ←)', () => this.seconds(-1)), B('back', 'one frame back (←)', () => this.step(-1)), this.playButton,
              B('forth', 'one frame forth (→)', () => this.step(1)), B('forth1', 'one second forth (⇧ →)', () => this.seconds(1)), B('next', 'mark or prediction after (↓)', () => this.jump(1)), this.rate),
            this.markButton)),
        h('aside', {className: 'st-side'}, this.ref, this.heads, this.cards, this.predict)),
      this.lane, h('footer', {}, this.status, h('span', {className: 'st-hint'}, h('kbd', {}, '?'), ' keys'))), this.help);
    this.el.append(this.root);
  }

  // -- what Python and the browser tell

  listen() {
    const m = this.model, on = (e, f) => { m.on(e, f); (this.off ??= []).push(() => m.off(e, f)); };
    on('change:film', () => this.open());
    for (const k of ['marks', 'saved', 'thumbs', 'offers', 'reference', 'count']) on('change:' + k, () => this.list());
    on('change:strip', () => this.refresh());
    on('change:status', () => { const s = m.get('status'); this.say(s.text, s.kind); });
    on('change:busy', () => this.busy());
    on('msg:custom', (msg, buffers) => this.received(msg, buffers));
    this.keys.addEventListener('keydown', e => this.key(e));
    this.keys.addEventListener('input', () => { this.keys.value = ''; });
    this.keys.addEventListener('focus', () => this.root.classList.add('st-on')); this.keys.addEventListener('blur', () => this.root.classList.remove('st-on'));
    this.root.addEventListener('keydown', e => e.stopPropagation());
    const leave = e => { if (this.marks.dirty) { e.preventDefault(); e.returnValue = 'unsaved'; } };
    window.addEventListener('beforeunload', leave);
    const dark = matchMedia('(prefers-color-scheme: dark)'), theme = () => this.theme(), seen = new MutationObserver(theme);
    dark.addEventListener('change', theme);
    for (const o of [document.documentElement, document.body]) seen.observe(o, {attributes: true, attributeFilter: ['class', 'data-jp-theme-light', 'data-theme', 'data-bs-theme']});
    this.off.push(() => { window.removeEventListener('beforeunload', leave); dark.removeEventListener('change', theme); seen.disconnect(); this.video.pause(); this.video.removeAttribute('src'); this.video.load(); });
  }
  theme() {
    const b = document.body, jp = b.dataset.jpThemeLight, bs = document.documentElement.dataset.bsTheme ?? b.dataset.theme;
    const dark = jp !== undefined ? jp === 'false' : bs ? bs === 'dark' : b.classList.contains('vscode-dark') || (!b.classList.contains('vscode-light') && matchMedia('(prefers-color-scheme: dark)').matches);
    this.root.dataset.st = dark ? 'dark' : 'light';
    const css = getComputedStyle(this.root);
    for (const k of ['mark', 'onmark', 'offer', 'warn', 'head', 'dim', 'text', 'line', 'panel', 'well', 'veil']) this.colour[k] = css.getPropertyValue('--st-' + k).trim();
    this.refresh();
  }
  async open() {
    const film = this.model.get('film'), view = this.model.get('pts'), copy = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength), pts = new Float64Array(copy);
    this.notify('loading the film …');
    this.root.dataset.ready = '';
    try { await this.player.load(this.byMessage ? await this.fetched() : film.url, pts, film.duration); }
    catch (e) { return this.cannot(e, film); }
    this.notify('');
    this.timeline.whole();
    const first = this.stops()[0];
    this.selected = first ? first.i : 0;
    await this.player.go(first ? this.frameOf(first.t) : 0);
    this.list();
    this.root.dataset.ready = 'yes';
    this.model.send({do: 'ready'});
  }
  async cannot(e, film) { // the address is out of reach, or the film is of a kind that this browser does not play
    if (e.message === 'media' && !this.byMessage && !await fetch(film.url, {method: 'HEAD'}).then(r => r.ok, () => false)) { this.byMessage = true; return this.open(); }
    if (film.light) return this.notify(e.message === 'times' ? 'This browser shows other frames than it says; use Chrome, Edge, Safari or a recent Firefox.' : `This browser cannot play the film (${e.message}).`);
    this.notify(e.message === 'times' ? 'This browser times the film differently; a light copy is being made …' : 'This browser cannot play the film; a light copy is being made …');
    this.model.send({do: 'light'});
  }
  fetched() { // the film by messages, for kernels on another machine
    return new Promise((ok, no) => { this.parts = []; this.arrived = {ok, no}; this.model.send({do: 'film', at: 0}); });
  }
  received(msg, buffers) {
    if (msg.film === undefined || !this.arrived) return;
    if (!msg.film) this.parts = [];
    this.parts.push(buffers[0]);
    const have = this.parts.reduce((s, b) => s + b.byteLength, 0);
    this.notify(`fetching the film: ${Math.floor(100*have/msg.total)} %`);
    if (have >= msg.total) this.arrived.ok(URL.createObjectURL(new Blob(this.parts, {type: 'video/mp4'})));
    else setTimeout(() => this.model.send({do: 'film', at: have}), 400); // Jupyter drops what comes faster than 1 MB/s
  }
  notify(text) { this.notice.textContent = text; this.notice.hidden = !text; }
  busy() {
    const b = this.model.get('busy');
    if (b.text) { this.notify(b.text + (b.share ? ` ${Math.round(100*b.share)} %` : '')); this.notice.style.setProperty('--share', b.share || 0); } else this.notify('');
    this.predict.disabled = !!b.text;
  }
  say(text, kind = '') { this.status.textContent = text; this.status.dataset.kind = kind; this.status.classList.remove('st-flash'); void this.status.offsetWidth; this.status.classList.add('st-flash'); }

  // -- what the hands do

  key(e) {
    if (e.key === 'Tab') return;
    const ctrl = e.ctrlKey || e.metaKey, k = e.key.length === 1 ? e.key.toLowerCase() : e.key, d = {ArrowLeft: -1, ArrowRight: 1}[k];
    const act = ctrl ? {s: () => this.save(), z: () => e.shiftKey ? this.marks.redo() : this.marks.undo(), y: () => this.marks.redo()}[k]
      : d ? () => e.altKey ? this.nudge(d) : e.shiftKey ? this.seconds(d) : this.step(d)
      : {' ': () => this.player.toggle(), k: () => this.player.toggle(), j: () => this.seconds(-1), l: () => this.seconds(1), ArrowUp: () => this.jump(-1), ArrowDown: () => this.jump(1), Home: () => this.seek(0), End: () => this.seek(this.player.n - 1),
         m: () => this.mark(), r: () => this.moveHere(), a: () => this.accept(), Delete: () => this.drop(), Backspace: () => this.drop(), n: () => this.rename(this.selected), F2: () => this.rename(this.selected), o: () => this.overlay(),
         '+': () => this.timeline.zoom(.5), '=': () => this.timeline.zoom(.5), '-': () => this.timeline.zoom(2), '_': () => this.timeline.zoom(2), f: () => this.timeline.whole(), '[': () => this.speed(-1), ']': () => this.speed(1),
         '?': () => this.toggleHelp(), Escape: () => { this.help.hidden = true; }}[k] ?? (/^\d$/.test(k) ? () => this.select(+k, true) : null);
    if (!act) { if (!ctrl && k.length === 1) e.preventDefault(); return; }
    e.preventDefault();
    if (this.player.ready) act();
  }
  seek(k) { this.video.pause(); return this.player.go(k); }
  step(d) { return this.seek(this.player.at + d); }
  seconds(d) { const p = this.player; return p.video.paused ? p.go(p.nearest(p.time + d)) : this.seek(p.nearest(p.time + d)).then(() => p.toggle()); }
  speed(d) { const all = [...this.rate.options].map(o => +o.value), i = clamp(all.indexOf(this.video.playbackRate) + d, 0, all.length - 1); this.rate.value = this.video.playbackRate = all[i]; }
  overlay() { this.ghost.classList.toggle('st-shown'); this.refresh(); }
  toggleHelp() { this.help.hidden = !this.help.hidden; }
  frameOf(t) { return this.player.last(t + this.model.get('film').slack); }
  stops() { // where a jump goes: marks, and predictions of what is not marked
    return this.marks.all.map((o, i) => ({i, t: o.t ?? this.offer(i)?.t ?? null})).filter(o => o.t !== null).sort((a, b) => a.t - b.t);
  }
  jump(d) {
    const at = this.player.at, all = this.stops().map(o => ({...o, k: o.t === this.marks.all[o.i].t ? this.frameOf(o.t) : this.player.nearest(o.t)}));
    const to = d > 0 ? all.find(o => o.k > at) : all.findLast(o => o.k < at);
    if (!to) return this.say(d > 0 ? 'no mark after this' : 'no mark before this');
    this.selected = to.i; this.seek(to.k); this.list();
  }
  select(i, go = false) {
    if (i >= this.marks.all.length) return;
    this.selected = i;
    const mark = this.marks.all[i].t, t = mark ?? this.offer(i)?.t;
    if (go && t != null) this.seek(mark !== null ? this.frameOf(t) : this.player.nearest(t));
    this.list();
  }
  advance() {
    const empty = this.marks.all.map((o, i) => o.t === null ? i : -1).filter(i => i >= 0);
    this.selected = empty.find(i => i > this.selected) ?? empty[0] ?? this.selected;
    this.list();
  }
  async mark() {
    if (this.player.video.paused) await this.player.settled();
    const t = this.player.pts[this.player.shown];
    if (!this.marks.fixed) { this.selected = this.marks.insert(t); this.list(); }
    else { const i = this.selected; if (this.marks.put(i, t)) { this.say(`${this.marks.label(i)} marked at ${clock(t)}`); this.advance(); } }
  }
  async moveHere() {
    await this.player.settled();
    if (this.marks.all[this.selected]) this.marks.put(this.selected, this.player.pts[this.player.shown]); else this.say('no mark is selected');
  }
  nudge(d) {
    const t = this.marks.all[this.selected]?.t;
    if (t == null) return this.say('no mark is selected');
    const k = clamp(this.frameOf(t) + d, 0, this.player.n - 1);
    if (this.marks.put(this.selected, this.player.pts[k])) this.seek(k);
  }
  drop() { const o = this.marks.all[this.selected]; if (o?.t != null) { this.say(`${this.marks.label(this.selected)} deleted`); this.marks.drop(this.selected); this.selected = clamp(this.selected, 0, Math.max(this.marks.all.length - 1, 0)); this.list(); } }
  accept(i = this.selected) {
    const o = this.offer(i);
    if (!o || o.t === null) return this.say(o ? 'the film does not show this split, says the alignment' : 'there is no prediction for this split', 'warn');
    const k = this.player.nearest(o.t);
    this.selected = i;
    this.seek(k);
    if (this.marks.put(i, this.player.pts[k])) { this.say(`${this.marks.label(i)} accepted at ${clock(this.player.pts[k])}`); this.advance(); }
  }
  save() { this.say('saving …'); this.model.send({do: 'save', marks: this.marks.all}); } // the marks with it: Jupyter may hold back a change of state for longer than a message
  rename(i) {
    const name = this.cards.children[i]?.querySelector('.st-name');
    if (!name) return;
    const box = h('input', {className: 'st-rename', value: this.marks.all[i].name || '', placeholder: this.marks.label(i), maxLength: 60});
    const end = keep => { if (box.done) return; box.done = true; if (keep && box.value.trim() !== (this.marks.all[i].name || '')) this.marks.name(i, box.value.trim()); else this.list(); this.focus(); };
    box.addEventListener('keydown', e => { e.stopPropagation(); if (e.key === 'Enter') end(true); if (e.key === 'Escape') end(false); });
    box.addEventListener('blur', () => end(true)); box.addEventListener('click', e => e.stopPropagation());
    name.replaceWith(box); box.focus(); box.select();
  }

  // -- what is seen

  list() { // everything but what changes with each frame
    const m = this.model, thumbs = m.get('thumbs'), reference = m.get('reference'), all = this.marks.all;
    if (this.cards.contains(document.activeElement) && document.activeElement.className === 'st-rename') return;
    this.cards.replaceChildren(...all.map((o, i) => this.card(o, i, thumbs, reference)));
    if (!all.length) this.cards.append(h('li', {className: 'st-empty'}, 'No marks yet. Go to the first split and press ', h('kbd', {}, 'M'), '.'));
    const r = reference.frames?.[this.selected];
    this.ref.hidden = this.heads.hidden = !r;
    this.heads.replaceChildren(...[reference.rider ?? '', m.get('film').rider].map(o => h('span', {title: o}, o)));
    if (r) { this.refImage.src = this.ghost.src = r.src; this.refText.replaceChildren(h('b', {}, reference.rider), ` at ${this.marks.label(this.selected)} · ${clock(r.t)}`); }
    this.predict.hidden = !reference.rider || this.offers.length > 0;
    this.predict.textContent = `Predict from ${reference.rider}`;
    this.markButton.replaceChildren(icon('flag'), this.marks.fixed ? `Mark ${this.marks.label(this.selected)}` : 'Mark');
    const dirty = this.marks.dirty;
    this.saveButton.textContent = dirty ? 'Save' : 'Saved'; this.saveButton.classList.toggle('st-dirty', dirty); this.saveButton.disabled = !dirty;
    this.cards.children[this.selected]?.scrollIntoView?.call ? this.reveal() : 0;
    this.refresh();
  }
  reveal() { const c = this.cards, e = c.children[this.selected]; if (e.offsetTop < c.scrollTop) c.scrollTop = e.offsetTop - 6; else if (e.offsetTop + e.offsetHeight > c.scrollTop + c.clientHeight) c.scrollTop = e.offsetTop + e.offsetHeight - c.clientHeight + 6; }
  card(o, i, thumbs, reference) {
    const at = o.t === null ? null : this.frameOf(o.t), src = at === null ? null : thumbs[at], offer = this.offer(i), ref = reference.frames?.[i];
    const pic = (src, cls, tip) => h('span', {className: 'st-pic ' + cls, title: tip}, src ? h('img', {src, alt: tip}) : null);
    const said = [];
    if (offer) {
      const width = offer.t === null ? '' : `${clock(offer.t, 2)} ± ${((offer.high - offer.low)/2).toFixed(2)}`;
      if (offer.t === null) said.push(h('span', {className: 'st-chip st-warn'}, 'not in this film?'));
      else if (o.t === null) said.push(h('button', {className: 'st-chip ' + (offer.status === 'found' ? 'st-offer' : 'st-warn'), type: 'button', title: `${offer.status}; accept (A)`, onclick: e => { e.stopPropagation(); this.accept(i); this.focus(); }}, icon('check'), width));
      else if (o.t < offer.low - 5e-4 || o.t > offer.high + 5e-4) said.push(h('span', {className: 'st-chip st-warn', title: `predicted ${width}`}, `${(o.t - offer.t > 0 ? '+' : '−') + Math.abs(o.t - offer.t).toFixed(2)} s off prediction`));
      else said.push(h('span', {className: 'st-chip st-ok', title: `predicted ${width}`}, 'as predicted'));
    }
    return h('li', {className: 'st-card' + (i === this.selected ? ' st-sel' : ''), onclick: () => { this.select(i, true); this.focus(); }, ondblclick: () => this.rename(i)},
      h('span', {className: 'st-num'}, i), ref ? pic(ref.src, 'st-refpic', `${reference.rider} here`) : null, pic(src, o.t === null ? 'st-none' : '', o.t === null ? 'not marked' : 'marked frame'),
      h('span', {className: 'st-what'}, h('span', {className: 'st-name'}, this.marks.label(i)), h('span', {className: 'st-when'}, o.t === null ? 'not marked' : clock(o.t)), ...said),
      o.t === null ? null : h('button', {className: 'st-icon st-x', type: 'button', title: 'delete (Del)', ariaLabel: 'delete', onclick: e => { e.stopPropagation(); this.selected = i; this.drop(); this.focus(); }}, icon('cross')));
  }
  refresh() { if (!this.pending) this.pending = requestAnimationFrame(() => { this.pending = 0; this.paint(); }); }
  paint() {
    if (!this.timeline || !this.player) return;
    if (!this.colour.mark) return this.root.isConnected && this.root.clientWidth ? this.theme() : setTimeout(() => this.refresh(), 100); // Jupyter puts it into the page after this is made
    const p = this.player, playing = !p.video.paused && !p.video.ended;
    if (playing) this.timeline.follow(p.time); else if (p.want !== null) this.timeline.follow(p.time);
    this.time.textContent = clock(p.time); this.frame.textContent = `frame ${p.at} of ${p.n}`;
    if (this.wasPlaying !== playing) { this.wasPlaying = playing; this.playButton.replaceChildren(icon(playing ? 'pause' : 'play')); }
    const here = this.marks.all.findIndex(o => o.t !== null && this.frameOf(o.t) === p.at);
    this.hud.textContent = here >= 0 ? this.marks.label(here) : ''; this.hud.hidden = here < 0;
    this.root.dataset.frame = p.going ? '' : p.shown;
    this.timeline.draw();
  }
}

export default {
  render({model, el}) {
    const app = new App(model, el);
    el.app = app;
    return () => app.off.forEach(f => f());
  },
};
