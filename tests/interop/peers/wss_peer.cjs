// npm's ws and Chromium over TLS: wss_peer.cjs server CHAIN KEY, an echo; chromium URL HASH, where HASH is that of the
// public key which the browser shall believe.
"use strict";

const {readFileSync, existsSync} = require("node:fs");

// Runs in the page.
async function talk(url) {
  const ws = new WebSocket(url);
  const lines = ["é中🧵 la trame", "x".repeat(70000), "", "é".repeat(300000)];
  const next = () => new Promise((resolve, reject) => {
    ws.onmessage = ({data}) => resolve(data);
    ws.onclose = ({code}) => reject(new Error(`closed with ${code}`));
  });
  await new Promise((resolve, reject) => { ws.onopen = resolve; ws.onerror = () => reject(new Error("failed")); });
  for (const line of lines) {
    const answer = next();
    ws.send(line);
    if (await answer !== line) throw new Error(`something else came back for ${line.length} characters`);
  }
  const closed = new Promise((resolve) => { ws.onclose = ({code, wasClean}) => resolve(`${code} ${wasClean}`); });
  ws.close(1000);
  const end = await closed;
  if (end !== "1000 true") throw new Error(`closed with ${end}`);
}

async function chromium(url, hash) {
  const {chromium} = require("playwright-core");
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  const browser = await chromium.launch({executablePath, args: ["--no-sandbox", `--ignore-certificate-errors-spki-list=${hash}`]});
  try {
    const page = await browser.newPage();
    await page.evaluate(talk, url);
  } finally {
    await browser.close();
  }
}

function server(chain, key) {
  const {WebSocketServer} = require("ws");
  const https = require("node:https").createServer({cert: readFileSync(chain), key: readFileSync(key)});
  new WebSocketServer({server: https}).on("connection", (ws) => ws.on("message", (data, binary) => ws.send(data, {binary})));
  https.listen(0, "127.0.0.1", () => console.log(https.address().port));
}

const [role, ...words] = process.argv.slice(2);
if (role === "server") server(...words);
else chromium(...words).then(
  () => { console.log("closed"); process.exit(0); },
  (error) => { console.log(error.message.split("\n")[0]); process.exit(1); });
