"use strict";
// The heap viewer: a trace replayed from what was seen of it, forwards and backwards. Checkpoints of the live blocks
// make every request a short replay away.
(function () {
  const section = document.getElementById("viewer");
  if (!section) return;
  const KINDS = ["malloc", "calloc", "realloc", "free"], REALLOC = 2, FREE = 3, STRIDE = 1000;
  const $ = id => document.getElementById(id);
  const comma = n => Math.round(n).toLocaleString("en");

  function size(bytes) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let step = 0;
    while (bytes >= 1024 && step < 4) { bytes /= 1024; step++; }
    return (step ? bytes.toPrecision(3) : String(bytes)) + " " + units[step];
  }

  async function unpack(text) {
    const packed = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  class Trace {
    constructor(view, buffer) {
      const n = this.count = view.requests, wide = view.wide;
      let place = n;
      this.view = view;
      this.kind = new Uint8Array(buffer, 0, n);
      const column = function (big) {
        const width = big ? 8 : 4, bytes = buffer.slice(place, place + width * n);
        place += width * n;
        return big ? Float64Array.from(new BigInt64Array(bytes), Number) : new Int32Array(bytes);
      };
      this.line = column(false);
      this.id = column(false);
      this.size = column(wide);
      this.offset = column(wide);
      this.brk = column(wide);
      this.prepare();
    }

    prepare() {
      const n = this.count, byId = new Map(), live = new Set();
      this.old = new Int32Array(n).fill(-1);       // the request whose block a request frees or moves
      this.counts = [0, 1, 2, 3].map(() => new Uint32Array(n + 1));
      this.moves = new Uint32Array(n + 1);         // of the break
      this.payload = new Float64Array(n + 1);      // live bytes
      this.highest = 0;
      this.checkpoints = [];
      for (let i = 0; i < n; i++) {
        if (i % STRIDE === 0) this.checkpoints.push(Int32Array.from(live));
        for (let k = 0; k < 4; k++) this.counts[k][i + 1] = this.counts[k][i] + (this.kind[i] === k);
        this.moves[i + 1] = this.moves[i] + (this.brk[i] !== (i ? this.brk[i - 1] : 0));
        let bytes = this.payload[i];
        if (this.kind[i] >= REALLOC && byId.has(this.id[i])) {
          const old = this.old[i] = byId.get(this.id[i]);
          byId.delete(this.id[i]);
          live.delete(old);
          bytes -= this.size[old];
        }
        if (this.offset[i] >= 0) {
          byId.set(this.id[i], i);
          live.add(i);
          bytes += this.size[i];
        }
        this.payload[i + 1] = bytes;
        if (this.brk[i] > this.highest) this.highest = this.brk[i];
      }
      this.at = 0;
      this.live = new Set();
    }

    // The state after N requests.
    seek(n) {
      if (Math.abs(n - this.at) > STRIDE) {
        const checkpoint = Math.min(Math.floor(n / STRIDE), this.checkpoints.length - 1);
        this.at = checkpoint * STRIDE;
        this.live = new Set(this.checkpoints[checkpoint]);
      }
      while (this.at < n) {
        const i = this.at++;
        if (this.old[i] >= 0) this.live.delete(this.old[i]);
        if (this.offset[i] >= 0) this.live.add(i);
      }
      while (this.at > n) {
        const i = --this.at;
        if (this.offset[i] >= 0) this.live.delete(i);
        if (this.old[i] >= 0) this.live.add(this.old[i]);
      }
    }

    heap() { return this.at ? this.brk[this.at - 1] : 0; }

    // Bytes of the heap that a block takes: what was observed of its size.
    room(bytes) {
      const sizes = this.view.sizes;
      let low = 0, high = sizes.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sizes[middle] < bytes) low = middle + 1; else high = middle;
      }
      if (low === sizes.length) return bytes;
      return Math.max(bytes, Math.min(this.view.room[low], bytes + Math.max(bytes, 64)));
    }

    // The free stretch around ADDRESS when the block of request EXCEPT is not counted: [start, end].
    hole(address, except) {
      let start = 0, end = this.heap();
      for (const i of this.live) {
        if (i === except) continue;
        const from = this.offset[i], to = from + this.size[i];
        if (to <= address && to > start) start = to;
        if (from >= address && from < end) end = from;
      }
      return [start, end];
    }

    words() {
      if (!this.at) return "Before the first request: the heap is empty.";
      const i = this.at - 1, kind = KINDS[this.kind[i]], old = this.old[i], put = this.offset[i] >= 0;
      let text = "Request " + comma(this.at) + " (line " + this.line[i] + "): " + kind + "(" +
        (this.kind[i] >= REALLOC ? "block " + this.id[i] : "") + (this.kind[i] === REALLOC ? ", " : "") +
        (this.kind[i] === FREE ? "" : this.size[i]) + ")";
      if (put) {
        const [start, end] = this.hole(this.offset[i], i), left = end - this.offset[i] - this.size[i];
        text += " gives 0x" + this.offset[i].toString(16);
        if (old >= 0 && this.offset[old] === this.offset[i]) text += ", in place (was " + this.size[old] + " bytes)";
        else if (old >= 0) text += ", moved from 0x" + this.offset[old].toString(16);
        if (end === this.heap() && this.offset[i] - start < 64) text += "; at the top of the heap.";
        else text += "; in a free stretch of " + comma(end - start) + " bytes, " + comma(Math.max(0, left)) +
          (left > 64 ? " stay free behind it (split)." : " stay behind it.");
      } else if (old >= 0) {
        const from = this.offset[old], to = from + this.size[old], [start, end] = this.hole(from, -1);
        text += ": " + this.size[old] + " bytes at 0x" + from.toString(16) + " are free";
        const before = from - start > 64, after = end - to > 64;
        text += before || after
          ? "; with the free stretch " + (before && after ? "on both sides" : before ? "before" : "behind") +
            " it is " + comma(end - start) + " bytes (coalesced, if the allocator does)."
          : "; live neighbours on both sides.";
      } else text += ": nothing to do.";
      const before = this.at > 1 ? this.brk[this.at - 2] : 0;
      if (this.brk[i] !== before) text += " The break moved from " + comma(before) + " to " + comma(this.brk[i]) + ".";
      return text;
    }
  }

  // ---- drawing ----

  let trace = null, number = 0, playing = null, zoom = 1, middle = 0, frame = 0;
  const heapCanvas = $("v-heap"), closeCanvas = $("v-close");
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  let colours = {};

  function readColours() {
    for (const name of ["payload", "overhead", "hole", "now", "gone", "page", "ink"]) colours[name] = colour(name);
  }

  function fit(canvas, height) {
    const ratio = window.devicePixelRatio || 1, width = Math.max(200, canvas.clientWidth);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.height = height + "px";
    }
    const draw = canvas.getContext("2d");
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    return [draw, width];
  }

  function hatch(draw, x, y, w, h) {
    draw.save();
    draw.beginPath();
    draw.rect(x, y, w, h);
    draw.clip();
    draw.strokeStyle = colours.gone;
    draw.lineWidth = 1.5;
    draw.beginPath();
    for (let d = x - h; d < x + w; d += 5) { draw.moveTo(d, y + h); draw.lineTo(d + h, y); }
    draw.stroke();
    draw.restore();
    draw.strokeStyle = colours.gone;
    draw.strokeRect(x + 0.5, y + 0.5, Math.max(1, w - 1), h - 1);
  }

  function drawHeap() {
    const rows = trace.highest < 4096 ? 4 : trace.highest < 65536 ? 12 : 24, height = 16, gap = 2;
    const [draw, width] = fit(heapCanvas, rows * (height + gap));
    const perRow = Math.max(16, Math.ceil(trace.highest / rows / 16) * 16), scale = width / perRow;
    $("v-rows").textContent = size(perRow) + " a row, lowest addresses first";
    draw.fillStyle = colours.page;
    draw.fillRect(0, 0, width, rows * (height + gap));
    const paint = function (from, to, put, least) {
      for (let row = Math.floor(from / perRow); row * perRow < to; row++) {
        const left = Math.max(from - row * perRow, 0) * scale, right = Math.min(to - row * perRow, perRow) * scale;
        put(left, row * (height + gap), Math.max(right - left, least), height);
      }
    };
    const fill = (x, y, w, h) => draw.fillRect(x, y, w, h);
    draw.fillStyle = colours.hole;
    paint(0, trace.heap(), fill, 0);
    draw.fillStyle = colours.overhead;
    if (scale * 8 > 0.5)
      for (const i of trace.live) {
        const from = trace.offset[i], end = Math.min(from + trace.room(trace.size[i]), trace.heap());
        paint(from + trace.size[i], end, fill, 0);
      }
    draw.fillStyle = colours.payload;
    for (const i of trace.live) paint(trace.offset[i], trace.offset[i] + trace.size[i], fill, 0);
    if (!trace.at) return;
    const i = trace.at - 1, old = trace.old[i];
    const gone = (x, y, w, h) => hatch(draw, x, y, w, h);
    if (old >= 0) paint(trace.offset[old], trace.offset[old] + trace.size[old], gone, 3);
    if (trace.offset[i] >= 0) {
      draw.fillStyle = colours.now;
      paint(trace.offset[i], trace.offset[i] + trace.size[i], fill, 3);
    }
  }

  function drawClose() {
    const height = 90, [draw, width] = fit(closeCanvas, height);
    draw.fillStyle = colours.page;
    draw.fillRect(0, 0, width, height);
    if (!trace.at) return;
    const i = trace.at - 1, which = trace.offset[i] >= 0 ? i : trace.old[i];
    const bytes = Math.max(64, Math.round((which >= 0 ? Math.max(512, 6 * trace.size[which]) : 1024) * zoom));
    if (which >= 0) middle = trace.offset[which] + trace.size[which] / 2;
    const start = Math.max(0, Math.round(middle - bytes / 2)), scale = width / bytes;
    $("v-window").textContent = "0x" + start.toString(16) + " to 0x" + (start + bytes).toString(16);
    const top = 14, tall = 46;
    const box = function (from, to) {
      const left = Math.max(0, (from - start) * scale), right = Math.min(width, (to - start) * scale);
      return [left, top, Math.max(0, right - left), tall];
    };
    draw.fillStyle = colours.hole;
    draw.fillRect(...box(0, trace.heap()));
    if (trace.old[i] >= 0) {
      const old = trace.old[i];
      if (trace.offset[old] + trace.size[old] > start && trace.offset[old] < start + bytes)
        hatch(draw, ...box(trace.offset[old], trace.offset[old] + trace.size[old]));
    }
    draw.font = "12px sans-serif";
    draw.textAlign = "center";
    const near = [];
    for (const block of trace.live) {
      const from = trace.offset[block];
      if (from + trace.room(trace.size[block]) > start && from < start + bytes) near.push(block);
    }
    near.sort((a, b) => trace.offset[a] - trace.offset[b]);
    const label = function (from, to, words, inside) {
      const [x, , w] = box(from, to);
      if (w > 7 * words.length + 6) {
        draw.fillStyle = inside;
        draw.fillText(words, x + w / 2, top + tall / 2 + 4);
      }
    };
    let free = 0;
    for (const block of [...near, -1]) {
      const from = block < 0 ? trace.heap() : trace.offset[block];
      if (from - free > 64 && from > start && free < start + bytes && (near.length || block < 0) && free >= 0)
        label(Math.max(free, start), Math.min(from, start + bytes),
          "free" + (free > start && from < start + bytes ? " " + (from - free) : ""), colours.ink);
      if (block < 0) break;
      const to = from + trace.size[block], room = Math.min(from + trace.room(trace.size[block]), trace.heap());
      draw.fillStyle = colours.overhead;
      draw.fillRect(...box(to, room));
      draw.fillStyle = block === i ? colours.now : colours.payload;
      draw.fillRect(...box(from, to));
      draw.strokeStyle = colours.page;
      draw.strokeRect(...box(from, room));
      if (block === i) {  // not by its colour alone
        draw.strokeStyle = colours.ink;
        draw.lineWidth = 3;
        draw.strokeRect(...box(from, to));
        draw.lineWidth = 1;
      }
      label(from, to, String(trace.size[block]), colours.page);
      free = room;
    }
    draw.fillStyle = colours.ink;
    draw.textAlign = "left";
    draw.fillText("0x" + start.toString(16), 2, height - 12);
    draw.textAlign = "right";
    draw.fillText("0x" + (start + bytes).toString(16), width - 2, height - 12);
    const edge = (trace.heap() - start) * scale;
    if (edge > 0 && edge < width) {
      draw.textAlign = edge < width / 2 ? "left" : "right";
      draw.fillRect(edge - 1, 4, 2, 66);
      draw.fillText("break", edge + (edge < width / 2 ? 4 : -4), height - 12);
    }
  }

  function show() {
    frame = 0;
    trace.seek(number);
    const at = trace.at, last = trace.at - 1, heap = trace.heap();
    const failed = trace.view.failing && number >= trace.view.failing - 1;
    $("v-words").textContent = trace.words() + (failed && number === Math.min(trace.count, trace.view.failing - 1)
      ? " Here the next request fails: " + trace.view.message : "");
    $("v-slider").value = number;
    $("v-number").value = number;
    KINDS.forEach(function (kind, k) {
      $(k === FREE ? "d-frees" : "d-" + kind).textContent = kind + " " + comma(trace.counts[k][at]);
    });
    $("d-live").textContent = size(trace.payload[at]) + " in use";
    $("d-blocks").textContent = comma(trace.live.size) + (trace.live.size === 1 ? " block" : " blocks");
    $("d-free").textContent = size(Math.max(0, heap - trace.payload[at])) + " not in use";
    $("d-used").textContent = heap ? (100 * trace.payload[at] / heap).toFixed(1) + " % of the heap" : "-";
    $("d-heap").textContent = "heap " + size(heap);
    $("d-highest").textContent = "highest " + size(trace.highest);
    $("d-moves").textContent = comma(trace.moves[at]) + " break moves";
    $("d-request").classList.toggle("busy", at > 0);
    $("d-break").classList.toggle("busy", at > 0 && trace.brk[last] !== (last ? trace.brk[last - 1] : 0));
    section.dataset.at = at;
    drawHeap();
    drawClose();
  }

  function go(to) {
    if (!trace) return;
    number = Math.max(0, Math.min(trace.count, Math.round(to) || 0));
    if (!frame) frame = requestAnimationFrame(show);
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    $("v-play").textContent = "play";
  }

  function play() {
    if (playing) return stop();
    if (number >= trace.count) go(0);
    $("v-play").textContent = "stop";
    playing = setInterval(function () { if (number >= trace.count) stop(); else go(number + 1); }, 100);
  }

  async function load(index) {
    stop();
    const view = JSON.parse(document.querySelectorAll("script.view")[index].textContent);
    if (typeof DecompressionStream === "undefined") {
      $("v-words").textContent =
        "This browser cannot unpack the trace; use Chromium 80, Firefox 113, Safari 16.4 or later.";
      return;
    }
    trace = new Trace(view, await unpack(view.data));
    $("v-slider").max = $("v-number").max = trace.count;
    $("v-hole").disabled = !view.hole;
    $("v-fail").disabled = !view.failing;
    zoom = 1;
    readColours();
    go(view.failing ? view.failing - 1 : Math.min(trace.count, view.peak));
    section.dataset.ready = index;
  }

  const jumps = {
    p: () => go(trace.view.peak), h: () => trace.view.hole && go(trace.view.hole),
    f: () => trace.view.failing && go(trace.view.failing - 1), " ": play,
    ArrowLeft: e => go(number - (e.shiftKey ? 100 : 1)), ArrowRight: e => go(number + (e.shiftKey ? 100 : 1)),
    PageUp: () => go(number - 1000), PageDown: () => go(number + 1000), Home: () => go(0), End: () => go(trace.count),
  };
  section.tabIndex = 0;
  section.addEventListener("keydown", function (event) {
    const typing = event.target.tagName === "SELECT" || event.target.type === "number";
    if (!trace || typing || event.ctrlKey || event.altKey || event.metaKey || !(event.key in jumps)) return;
    if (event.key === " " && event.target.tagName === "BUTTON") return;
    event.preventDefault();
    if (event.key !== " ") stop();
    jumps[event.key](event);
  });
  const click = (id, action) => $(id).addEventListener("click", () => { if (trace) action(); });
  click("v-back", () => { stop(); go(number - 1); });
  click("v-next", () => { stop(); go(number + 1); });
  click("v-play", play);
  click("v-peak", jumps.p);
  click("v-hole", jumps.h);
  click("v-fail", jumps.f);
  click("v-in", () => { zoom = Math.max(zoom / 2, 1 / 16); go(number); });
  click("v-out", () => { zoom = Math.min(zoom * 2, 4096); go(number); });
  $("v-slider").addEventListener("input", () => { stop(); go(Number($("v-slider").value)); });
  $("v-number").addEventListener("change", () => { stop(); go(Number($("v-number").value)); });
  $("v-trace").addEventListener("change", () => load(Number($("v-trace").value)));
  window.addEventListener("resize", () => go(number));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { readColours(); go(number); });
  load(0);
})();
