// The page of the demo: one WebSocket connection to the server that sent it. With the subprotocol demo.navette a text
// message begins with one character: ">" what the visitor says, "?" a ping and its number, both of which come back as
// they are; "!" is the server's own news, as JSON. A binary message is what the visitor sent, and comes back.
"use strict";

const subprotocol = "demo.navette";
const pingEvery = 500, pingLostAfter = 10_000, shortestSpan = 15_000, longestSpan = 60_000;
const firstDelay = 500, longestDelay = 10_000;
const maxMessage = 16 * 1024 * 1024, maxExchanges = 60;

const $ = (id) => document.getElementById(id);
const root = document.documentElement;

function text(id, value) {
  const node = $(id);
  if (node.textContent !== value) node.textContent = value;
}

function duration(ms) {
  if (ms < 0.995) return [String(Math.round(ms * 1000)), "µs"];
  if (ms < 9.95) return [ms.toFixed(2), "ms"];
  if (ms < 99.5) return [ms.toFixed(1), "ms"];
  if (ms < 999.5) return [String(Math.round(ms)), "ms"];
  return [(ms / 1000).toFixed(2), "s"];
}
const inWords = (ms) => duration(ms).join(" ");

function size(n) {
  if (n < 1024) return n === 1 ? "1 byte" : `${n} bytes`;
  const [unit, name] = n < 1024 * 1024 ? [1024, "KiB"] : [1024 * 1024, "MiB"];
  return `${Number((n / unit).toFixed(n / unit < 10 ? 2 : 1))} ${name}`;
}

const thousands = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");
const many = (n, thing) => `${thousands(n)} ${thing}${n === 1 ? "" : "s"}`;

function since(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
}

// ---- the connection: opened, lost, opened again ----------------------------------------------------------------------

let socket = null;
let attempt = 0, retryAt = 0, lostAt = 0, ticker = 0, leaving = false;

function connect() {
  clearInterval(ticker);
  retryAt = 0;
  $("retry").hidden = true;
  if (root.dataset.link !== "connecting") text("link-text", "The server has gone away. Trying to reach it");
  const ws = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`, subprotocol);
  ws.binaryType = "arraybuffer";
  socket = ws;
  ws.onopen = () => opened(ws);
  ws.onmessage = ({data}) => (typeof data === "string" ? heard(data) : cameBack(data));
  ws.onclose = (event) => { if (socket === ws) lost(event); };
}

function opened() {
  root.dataset.link = "open";
  text("link-text", `Connected to ${location.host}`);
  if (lostAt) {
    plot.returned();
    seam(`The server was away for ${inWords(performance.now() - lostAt)}, and is back.`, true);
    lostAt = 0;
  }
  attempt = 0;
  allow(true);
}

function lost(event) {
  if (leaving) return;
  const now = performance.now();
  if (!lostAt) {
    lostAt = now;
    plot.lost();
    for (const exchange of pending.splice(0)) settle(exchange, "lost", "lost on the way");
    text("rtt-now", "–");
    text("rtt-unit", "");
    seam(event.code === 1001 ? "The server said that it is going away." : "The server has gone away.");
  }
  pings.clear();
  allow(false);
  root.dataset.link = "waiting";
  const delay = Math.min(longestDelay, firstDelay * 1.7 ** attempt++) * (0.8 + 0.4 * Math.random());
  retryAt = now + delay;
  $("retry").hidden = false;
  countDown();
  ticker = setInterval(countDown, 100);
}

function countDown() {
  const left = retryAt - performance.now();
  if (left <= 0) return connect();
  text("link-text", `The server has gone away. Trying again in ${Math.ceil(left / 1000)} s`);
}

function retryNow() {
  if (retryAt) connect();
}

function allow(yes) {
  for (const button of document.querySelectorAll("[data-needs-link]")) button.disabled = !yes;
  $("file").disabled = !yes;
}

$("retry").addEventListener("click", retryNow);
addEventListener("online", retryNow);
addEventListener("pagehide", () => { leaving = true; });
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) retryNow(); });

// ---- round trips -----------------------------------------------------------------------------------------------------

const pings = new Map();  // number -> when it left
let pingNumber = 0;

function ping() {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const now = performance.now();
  const [oldest] = pings.values();
  if (oldest !== undefined && now - oldest > pingLostAfter) return socket.close();
  pings.set(++pingNumber, now);
  socket.send(`?${pingNumber}`);
}
setInterval(ping, pingEvery);

function heard(data) {
  const now = performance.now();
  if (data[0] === ">") return cameBack(data.slice(1));
  if (data[0] === "!") return news(JSON.parse(data.slice(1)));
  const number = Number(data.slice(1)), left = pings.get(number);
  if (left === undefined) return;
  pings.delete(number);
  plot.add(now, now - left);
  const [value, unit] = duration(now - left);
  text("rtt-now", value);
  text("rtt-unit", unit);
}

const plot = (() => {
  const svg = $("plot"), resting = $("plot-caption").textContent;
  const points = [];    // {at, ms}
  const absences = [];  // {from, to}; to is null while it lasts
  let near = null, began = 0;
  const span = (now) => Math.min(longestSpan, Math.max(shortestSpan, now - began));

  const make = (name, attributes, parent = svg) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return parent.appendChild(node);
  };

  function levels(low, high) {
    const all = [];
    for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); ++decade)
      for (const step of [1, 2, 5]) all.push(step * 10 ** decade);
    let from = all.findLastIndex((v) => v <= low), to = all.findIndex((v) => v >= high);
    if (from < 0) from = 0;
    if (to - from < 3) to = Math.min(all.length - 1, from + 3);
    return all.slice(from, to + 1);
  }

  const label = (ms) => (ms < 1 ? `${Number((ms * 1000).toPrecision(1))} µs` : ms < 1000 ? `${Number(ms.toPrecision(1))} ms` : `${Number((ms / 1000).toPrecision(1))} s`);

  function draw() {
    const now = performance.now(), begin = now - span(now);
    while (points.length && points[0].at < begin) points.shift();
    while (absences.length && absences[0].to !== null && absences[0].to < begin) absences.shift();
    const {width, height} = svg.getBoundingClientRect();
    svg.replaceChildren();
    if (width < 60) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const left = 52, right = width - 6, top = 8, bottom = height - 8;
    const x = (at) => left + (right - left) * (at - begin) / (now - begin);

    make("path", {d: "M0 8L8 0M-2 2L2 -2M6 10L10 6"}, make("pattern", {id: "twill", width: 8, height: 8, patternUnits: "userSpaceOnUse"}));
    for (let s = 0; s * 1000 <= now - begin; s += 5) make("line", {class: "warp", x1: x(now - s * 1000), x2: x(now - s * 1000), y1: top, y2: bottom});
    const times = points.map((p) => p.ms);
    const marks = levels(Math.max(0.01, Math.min(0.1, ...times)), Math.max(0.2, ...times));
    const low = Math.log10(marks[0]), high = Math.log10(marks.at(-1));
    const y = (ms) => bottom - (bottom - top) * (Math.log10(Math.max(ms, marks[0])) - low) / (high - low);
    const every = marks.length > 7 ? 3 : 1, first = marks.findIndex((v) => every === 1 || /^1(e|0*$)|^0?\.0*1$/.test(String(v)));
    marks.forEach((v, i) => {
      if ((i - first) % every !== 0) return;
      make("line", {class: "level", x1: left, x2: right, y1: y(v), y2: y(v)});
      make("text", {class: "scale", x: left - 8, y: y(v) + 4, "text-anchor": "end"}).textContent = label(v);
    });

    for (const {from, to} of absences) {
      const a = Math.max(left, x(from)), b = Math.min(right, x(to ?? now));
      make("rect", {class: "away", x: a, width: Math.max(1, b - a), y: top, height: bottom - top});
      if (b - a > 44) make("text", {class: "away-text", x: (a + b) / 2, y: top + 16, "text-anchor": "middle"}).textContent = "away";
    }

    const runs = [];  // of points between absences
    for (const p of points) {
      const last = runs.at(-1)?.at(-1);
      if (!last || absences.some(({from}) => from >= last.at && from <= p.at)) runs.push([]);
      runs.at(-1).push(p);
    }
    for (const run of runs) {
      const line = run.map((p) => `${x(p.at).toFixed(1)} ${y(p.ms).toFixed(1)}`).join("L");
      make("path", {class: "woven", d: `M${x(run[0].at).toFixed(1)} ${bottom}L${line}L${x(run.at(-1).at).toFixed(1)} ${bottom}Z`});
      make("path", {class: "thread", d: `M${line}`});
    }
    for (const p of points) {
      const isNear = p === near;
      make("circle", {class: isNear ? "pick near" : "pick", cx: x(p.at).toFixed(1), cy: y(p.ms).toFixed(1), r: isNear ? 5 : 2.6, "data-ms": p.ms.toFixed(3)});
    }

    const sorted = times.sort((a, b) => a - b);
    const say = (id, ms) => text(id, ms === undefined ? "–" : inWords(ms));
    say("rtt-median", sorted[sorted.length >> 1]);
    say("rtt-min", sorted[0]);
    say("rtt-max", sorted.at(-1));
    if (near) text("plot-caption", `${inWords(near.ms)}, ${Math.round((now - near.at) / 1000)} s ago`);
  }

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), now = performance.now();
    const at = now - span(now) * (1 - (event.clientX - box.left - 52) / (box.width - 58));
    near = points.reduce((best, p) => (!best || Math.abs(p.at - at) < Math.abs(best.at - at) ? p : best), null);
    draw();
  });
  svg.addEventListener("pointerleave", () => {
    near = null;
    text("plot-caption", resting);
    draw();
  });
  new ResizeObserver(draw).observe(svg);
  setInterval(draw, 500);

  return {
    add(at, ms) {
      began ||= at;
      points.push({at, ms});
      draw();
    },
    lost() { absences.push({from: performance.now(), to: null}); draw(); },
    returned() { const last = absences.at(-1); if (last) last.to = performance.now(); draw(); },
  };
})();

// ---- what is sent and what comes back --------------------------------------------------------------------------------

const pending = [];  // the server echoes in order
const encoder = new TextEncoder();

function warn(message) {
  $("send-note").hidden = !message;
  text("send-note", message);
}

function exchange(kind, name, payload) {
  const node = $("exchange").content.firstElementChild.cloneNode(true);
  const bytes = typeof payload === "string" ? encoder.encode(payload) : new Uint8Array(payload);
  node.dataset.kind = kind;
  node.querySelector(".kind").textContent = kind;
  node.querySelector(".name").textContent = name;
  node.querySelector(".facts").textContent = size(bytes.length);
  node.querySelector(".verdict").textContent = "on its way";
  $("log").prepend(node);
  $("log-empty").hidden = true;
  for (const old of [...$("log").children].slice(maxExchanges)) {
    for (const link of old.querySelectorAll("a[href^='blob:']")) URL.revokeObjectURL(link.href);
    old.remove();
  }
  return {node, kind, name, bytes, type: "", at: performance.now()};
}

function carry(kind, name, payload, type = "") {
  const length = typeof payload === "string" ? encoder.encode(payload).length + 1 : payload.byteLength;
  if (length > maxMessage) return warn(`${name || "The message"} is ${size(length)}; the server takes at most ${size(maxMessage)} in one message.`);
  if (socket?.readyState !== WebSocket.OPEN) return warn("There is no connection at the moment.");
  warn("");
  const sent = exchange(kind, name, payload);
  sent.type = type;
  pending.push(sent);
  cross();
  socket.send(typeof payload === "string" ? `>${payload}` : payload);
}

// For the eye alone: the true time is in the entry.
function cross() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const far = "translateX(calc(100cqw - 100%))";
  $("shuttle").animate([{transform: "none", opacity: 1}, {transform: far, opacity: 1}, {transform: "none", opacity: 1}],
                       {duration: 900, easing: "ease-in-out"});
}

function cameBack(data) {
  const sent = pending.shift();
  if (!sent) return;
  const took = performance.now() - sent.at;
  const wasText = typeof data === "string";
  const bytes = wasText ? encoder.encode(data) : new Uint8Array(data);
  const same = wasText === (sent.kind === "text") && bytes.length === sent.bytes.length && bytes.every((b, i) => b === sent.bytes[i]);
  sent.node.querySelector(".facts").textContent = `${size(bytes.length)}, ${inWords(took)}`;
  settle(sent, same ? "identical" : "different", same ? "identical" : "different");
  show(sent, wasText ? data : null, bytes);
}

function settle({node}, outcome, words) {
  node.dataset.outcome = outcome;
  node.querySelector(".verdict").textContent = words;
}

function show({node, kind, name, type}, said, bytes) {
  const body = node.querySelector(".body");
  if (said !== null) {
    const pre = document.createElement("pre");
    pre.className = "said";
    pre.textContent = said;
    body.append(pre);
  } else {
    const url = URL.createObjectURL(new Blob([bytes], {type: /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(type) ? type : "application/octet-stream"}));
    if (type.startsWith("image/")) {
      const image = new Image();
      image.alt = `${name}, as it came back`;
      image.onerror = () => image.remove();
      image.src = url;
      body.append(image);
    } else {
      const pre = document.createElement("pre");
      pre.textContent = [...bytes.subarray(0, 24)].map((b) => b.toString(16).padStart(2, "0")).join(" ") + (bytes.length > 24 ? " …" : "");
      body.append(pre);
    }
    const link = document.createElement("a");
    link.href = url;
    link.download = kind === "file" ? name : "returned.bin";
    link.textContent = "Save what came back";
    body.append(link);
  }
  crypto.subtle?.digest("SHA-256", bytes).then((digest) => {
    const hex = [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("");
    node.dataset.sha256 = hex;
    node.querySelector(".digest code").textContent = hex;
    node.querySelector(".digest").hidden = false;
  });
}

function seam(message, mended = false) {
  const node = document.createElement("li");
  node.className = mended ? "seam mended" : "seam";
  node.textContent = message;
  $("log").prepend(node);
  $("log-empty").hidden = true;
}

$("text-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return;
  carry("text", "", $("text").value);
  $("text").value = "";
  $("text").focus();
});
$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("text-form").requestSubmit();
});
$("binary-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const bytes = new Uint8Array(Number($("binary-size").value));
  for (let i = 0; i < bytes.length; i += 65536) crypto.getRandomValues(bytes.subarray(i, i + 65536));
  carry("binary", "", bytes.buffer);
});

async function sendFiles(files) {
  for (const file of files) {
    if (file.size > maxMessage) { warn(`${file.name} is ${size(file.size)}; the server takes at most ${size(maxMessage)} in one message.`); continue; }
    try {
      carry("file", file.name, await file.arrayBuffer(), file.type);
    } catch {
      warn(`${file.name} could not be read.`);
    }
  }
}
$("file").addEventListener("change", async () => {
  const files = [...$("file").files];
  await sendFiles(files);
  $("file").value = "";
});
for (const type of ["dragenter", "dragover"])
  $("drop").addEventListener(type, (event) => { event.preventDefault(); $("drop").classList.add("over"); });
for (const type of ["dragleave", "drop"]) $("drop").addEventListener(type, () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", (event) => { event.preventDefault(); sendFiles([...event.dataTransfer.files]); });

// ---- what the server tells -------------------------------------------------------------------------------------------

function news({you, seconds, connections, text: texts, binary, pings: counted, visitors}) {
  for (const [name, counter] of Object.entries({text: texts, binary, ping: counted})) {
    text(`${name}-messages`, thousands(counter.messages));
    text(`${name}-bytes`, thousands(counter.bytes));
  }
  text("connections", many(connections.ever, "connection"));
  text("uptime", seconds < 2 ? "just now" : `${since(seconds)} ago`);
  text("who-count", thousands(connections.now));
  $("who").replaceChildren(...visitors.map((visitor) => {
    const line = document.createElement("li");
    const span = (name, value) => {
      const node = document.createElement("span");
      node.className = name;
      node.textContent = value;
      return node;
    };
    const swatch = span("swatch", "");
    swatch.style.setProperty("--hue", String(visitor.id * 137.5 % 360));
    const mine = visitor.id === you;
    line.append(swatch, span(mine ? "you" : "", mine ? `${visitor.name} (you)` : visitor.name),
                span("client", `${visitor.client}, ${since(visitor.seconds)}`),
                span("sent", many(visitor.messages, "message")));
    return line;
  }));
  const rest = connections.now - visitors.length;
  $("who-more").hidden = rest <= 0;
  text("who-more", `and ${many(rest, "other")}`);
}

allow(false);
connect();
