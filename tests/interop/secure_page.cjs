// Chromium at a demo over TLS: the page comes by https, and what it sends comes back by wss.
"use strict";

const {spawn} = require("node:child_process");
const {once} = require("node:events");
const {appendFileSync} = require("node:fs");
const path = require("node:path");
const {chromium} = require("playwright-core");

const build = process.env.NAVETTE_BUILD || path.join(__dirname, "../../build/release");

function equal(found, expected) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`found ${a.slice(0, 300)}, expected ${b.slice(0, 300)}`);
}

async function withPage(settings, use) {
  const server = spawn(path.join(build, "examples/demo"), ["--port", "0", "--tls"], {stdio: ["ignore", "pipe", "inherit"]});
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    const [line] = await once(server.stdout.setEncoding("utf8"), "data");
    const [, port] = line.match(/^listening on https:\/\/127\.0\.0\.1:(\d+)\/\n$/);
    await use(await browser.newPage(settings), port);
  } finally {
    await browser.close();
    server.kill("SIGTERM");
    equal(await once(server, "exit"), [0, null]);
  }
}

const cases = [
  ["it asks about a certificate for which nobody vouches", () => withPage({}, async (page, port) => {
    let refused = "";
    await page.goto(`https://localhost:${port}/`).catch((error) => { refused = error.message; });
    equal(refused.includes("ERR_CERT_AUTHORITY_INVALID"), true);
  })],
  ["the page comes by https, and text comes back by wss", () => withPage({ignoreHTTPSErrors: true}, async (page, port) => {
    const sockets = [], complaints = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
    await page.goto(`https://localhost:${port}/`);
    await page.waitForSelector("html[data-link=open]", {timeout: 15_000});
    const text = `Coucou serveur, \u{1f9f5} ${"la trame et la chaîne ".repeat(5000)}`;
    await page.fill("#text", text);
    await page.click("#text-form button");
    await page.waitForSelector("#log .exchange[data-outcome=identical]", {timeout: 15_000});
    equal(await page.textContent("#log .exchange .said"), text);
    equal([sockets, complaints], [[`wss://localhost:${port}/`], []]);
  })],
];

function report(line) {
  console.log(line);
  if (process.env.NAVETTE_RESULTS) appendFileSync(process.env.NAVETTE_RESULTS, `${line}\n`);
}

(async () => {
  let failed = 0;
  for (const [name, body] of cases) {
    try {
      await body();
      report(`PASS Chromium: ${name}`);
    } catch (error) {
      ++failed;
      report(`FAIL Chromium: ${name}: ${error.message.replaceAll(/\s+/g, " ")}`);
    }
  }
  process.exit(failed ? 1 : 0);
})();
