// npm's ws as a peer: ws_peer.cjs SETTINGS server, or ws_peer.cjs SETTINGS client URL. SETTINGS: JSON, ws's perMessageDeflate.
"use strict";

const {once} = require("node:events");
const {WebSocket, WebSocketServer} = require("ws");

const [settings, role, url] = process.argv.slice(2);
const options = {perMessageDeflate: JSON.parse(settings), maxPayload: 1 << 26};

const textOf = (size) => {
  let text = "", length = 0;
  for (let n = 0; length + 64 < size; ++n) {
    const item = `{"n":${(n * 7919) % 10007},"t":"é中🧵 la trame"},`;
    text += item;
    length += Buffer.byteLength(item);
  }
  return text + "x".repeat(size - length);
};

async function client() {
  const ws = new WebSocket(url, options);
  await once(ws, "open");
  const waiting = [], come = [];
  ws.on("message", (data, binary) => (waiting.length ? waiting.shift()([data, binary]) : come.push([data, binary])));
  const next = () => (come.length ? Promise.resolve(come.shift()) : new Promise((resolve) => waiting.push(resolve)));
  const back = async (sent) => {
    const [data, binary] = await next();
    if (binary !== (typeof sent !== "string") || !data.equals(Buffer.from(sent))) throw new Error("different bytes came back");
  };
  for (let round = 0; round < 2; ++round) {
    for (const size of [0, 1, 125, 1000, 1000, 5000, 70000, 300000]) {
      ws.send(textOf(size));
      await back(textOf(size));
    }
    ws.send(Buffer.alloc(300000));
    await back(Buffer.alloc(300000));
    const text = textOf(3000);
    ws.send(text.slice(0, 1000), {fin: false});
    ws.send("", {fin: false});
    ws.send(text.slice(1000), {fin: true});
    await back(text);
    ws.send(text, {compress: false});
    await back(text);
  }
  ws.send("/prepared 3");
  for (let round = 0; round < 3; ++round) {
    await back(`the news of today, for you: ${round}${textOf(2000)}`);
    await back(`the news of today: ${textOf(2000)}`);
  }
  ws.close(1000);
  const [code] = await once(ws, "close");
  if (code !== 1000) throw new Error(`closed with ${code}`);
}

function server() {
  const listening = new WebSocketServer({...options, host: "127.0.0.1", port: 0});
  listening.on("listening", () => console.log(`listening on ${listening.address().port}`));
  listening.on("connection", (ws) => ws.on("message", (data, binary) => ws.send(data, {binary})));
}

if (role === "server") server();
else client().then(() => { console.log("closed"); process.exit(0); }, (error) => { console.error(error.message); process.exit(1); });
