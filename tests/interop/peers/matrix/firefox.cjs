// Firefox as a peer, driven by WebDriver BiDi: one page, which is loaded anew for each URL.
"use strict";

const {spawn} = require("node:child_process");
const {once} = require("node:events");
const {mkdtempSync, rmSync} = require("node:fs");
const {tmpdir} = require("node:os");
const path = require("node:path");
const {WebSocket} = require("ws");
const {run, site} = require("./echo.cjs");

const profile = mkdtempSync(path.join(tmpdir(), "navette-"));
let browser, ws, page, calls = 0;

// One command of WebDriver BiDi: its result.
function bidi(method, params) {
  const id = ++calls;
  ws.send(JSON.stringify({id, method, params}));
  return new Promise((resolve, reject) => {
    const hear = (data) => {
      const answer = JSON.parse(data);
      if (answer.id !== id) return;
      ws.off("message", hear);
      if (answer.type === "error") reject(new Error(answer.message));
      else resolve(answer.result);
    };
    ws.on("message", hear);
  });
}

async function start() {
  // It ends when this program is ended.
  browser = spawn("setpriv", ["--pdeathsig", "KILL", "firefox-esr", "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"],
    {env: {...process.env, HOME: profile}, stdio: ["ignore", "ignore", "pipe"]});
  let said = "", listening = null;
  browser.stderr.setEncoding("utf8").on("data", (piece) => { said += piece; });
  while (!(listening = /BiDi listening on (ws:\S+)/.exec(said))) await once(browser.stderr, "data");
  ws = new WebSocket(`${listening[1]}/session`, {perMessageDeflate: false});
  await once(ws, "open");
  await bidi("session.new", {capabilities: {}});
  page = (await bidi("browsingContext.create", {type: "tab"})).context;
}

run({
  async call(url) {
    if (!browser) await start();
    await bidi("browsingContext.navigate", {context: page, url: await site(), wait: "complete"});
    const expression = `talk(${JSON.stringify(url)}).then(JSON.stringify)`;
    const {result} = await bidi("script.evaluate", {expression, target: {context: page}, awaitPromise: true});
    console.log(result.value);
  },
  async end() {
    browser.kill();
    await once(browser, "exit");
    rmSync(profile, {recursive: true, force: true});
  },
});
