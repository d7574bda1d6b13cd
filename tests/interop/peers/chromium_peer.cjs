// Chromium as a peer: chromium_peer.cjs URL..., one page after the other. Prints `closed` for each, or why not.
"use strict";

const {chromium} = require("playwright-core");
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => require("node:fs").existsSync(path));

async function talk(url) {
  const textOf = (size) => {
    let text = "", length = 0;
    for (let n = 0; length + 64 < size; ++n) {
      const item = `{"n":${(n * 7919) % 10007},"t":"é中🧵 la trame"},`;
      text += item;
      length += new TextEncoder().encode(item).length;
    }
    return text + "x".repeat(size - length);
  };
  const ws = new WebSocket(url);
  ws.binaryType = "arraybuffer";
  const come = [], waiting = [];
  ws.onmessage = ({data}) => (waiting.length ? waiting.shift()(data) : come.push(data));
  const next = () => (come.length ? Promise.resolve(come.shift()) : new Promise((resolve) => waiting.push(resolve)));
  const closed = new Promise((resolve) => { ws.onclose = ({code}) => resolve(code); });
  await Promise.race([new Promise((resolve) => { ws.onopen = resolve; }), closed.then((code) => { throw new Error(`closed with ${code}`); })]);
  const back = async (expected) => {
    const data = await Promise.race([next(), closed.then((code) => `closed with ${code}`)]);
    if (data !== expected) throw new Error(`different text came back: ${String(data).slice(0, 60)}`);
  };
  for (let round = 0; round < 2; ++round) {
    for (const size of [0, 1, 125, 1000, 1000, 5000, 70000, 300000]) {
      ws.send(textOf(size));
      await back(textOf(size));
    }
    ws.send(new Uint8Array(300000));
    const data = await next();
    if (data.byteLength !== 300000 || new Uint8Array(data).some((b) => b !== 0)) throw new Error("different bytes came back");
  }
  ws.send("/prepared 3");
  for (let round = 0; round < 3; ++round) {
    await back(`the news of today, for you: ${round}${textOf(2000)}`);
    await back(`the news of today: ${textOf(2000)}`);
  }
  ws.close(1000);
  const code = await closed;
  if (code !== 1000) throw new Error(`closed with ${code}`);
}

(async () => {
  const browser = await chromium.launch({executablePath, args: ["--no-sandbox"]});
  let status = 0;
  for (const url of process.argv.slice(2)) {
    const page = await browser.newPage();
    try {
      await page.evaluate(talk, url);
      console.log("closed");
    } catch (error) {
      console.log(error.message.split("\n")[0]);
      status = 1;
    }
    await page.close();
  }
  await browser.close();
  process.exit(status);
})();
