// The main job without a person: wscat and a browser without a window use the demo as a visitor would. Prints what
// happened; exits with 0 only if all of it did. Ends nothing but what it started.
// usage: node demo_check.cjs FOLDER_OF_THE_PROGRAMS SCREENSHOT
"use strict";

const {spawn} = require("node:child_process");
const {createHash, randomBytes, randomInt} = require("node:crypto");
const {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} = require("node:fs");
const {tmpdir} = require("node:os");
const path = require("node:path");
const {chromium} = require("playwright-core");

const [programs, screenshot] = process.argv.slice(2);
const scratch = mkdtempSync(path.join(tmpdir(), "navette-demo-"));
const started = new Set();
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

function demand(condition, sentence) {
  if (!condition) throw new Error(`not so: ${sentence}`);
  console.log(`ok: ${sentence}`);
}

function demandEqual(found, expected, sentence) {
  if (JSON.stringify(found) !== JSON.stringify(expected))
    throw new Error(`not so: ${sentence}; found ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  console.log(`ok: ${sentence}`);
}

function start(program, ...options) {
  const child = spawn(path.join(programs, program), options, {stdio: ["pipe", "pipe", "inherit"]});
  started.add(child);
  child.ended = new Promise((resolve) => child.on("close", (code, signal) => {
    started.delete(child);
    resolve(signal ?? code);
  }));
  child.out = "";
  child.stdout.setEncoding("utf8").on("data", (piece) => { child.out += piece; });
  child.on("error", (error) => { child.out += String(error); });
  return child;
}

async function within(seconds, what, condition) {
  for (const end = Date.now() + seconds * 1000; ;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function serve(port) {
  const server = start("demo", "--port", String(port));
  const line = await within(10, "the server says where it listens", () => server.out.match(/^listening on (http:\/\/127\.0\.0\.1:(\d+)\/)\n/));
  return {server, address: line[1], port: Number(line[2])};
}

async function counters(address) {
  const answer = await fetch(`${address}counters`);
  if (answer.status !== 200) throw new Error(`/counters answers ${answer.status}`);
  const {text, binary} = await answer.json();
  return {text: {messages: text.messages, bytes: text.bytes}, binary: {messages: binary.messages, bytes: binary.bytes}};
}

function randomText() {
  const words = ["navette", "trame", "chaîne", "lisière", "œuvre", "bobine", "ύφασμα", "κλωστή", "нить", "ткань", "𝔸𝔹", "→",
                 "<b>&amp;</b>", "\"quoted\"", "'single'", "back\\slash"];
  return Array.from({length: 60}, () => words[randomInt(words.length)]).join(" ") + "\n" + randomBytes(32).toString("base64");
}

// The newest entry of the page's log, once its verdict is in: what the page says of it.
const newest = (page, number) => within(15, `entry ${number} has come back`, () => page.evaluate((count) => {
  const entries = document.querySelectorAll("#log .exchange");
  if (entries.length < count || !entries[0].dataset.sha256) return null;
  const {kind, outcome, sha256: digest} = entries[0].dataset;
  return {kind, outcome, digest, said: entries[0].querySelector(".said")?.textContent ?? null};
}, number));

async function savedBytes(page) {
  const [download] = await Promise.all([page.waitForEvent("download", {timeout: 15_000}), page.click("#log .exchange a")]);
  return readFileSync(await download.path());
}

const link = (page) => page.evaluate(() => [document.documentElement.dataset.link, document.getElementById("link-text").textContent]);

async function check() {
  let {server, address, port} = await serve(0);

  // From a terminal.
  const wscat = start("wscat", "--timeout", "10", address.replace("http:", "ws:"));
  wscat.stdin.end("Coucou serveur\n");
  demandEqual([await wscat.ended, wscat.out], [0, "Coucou serveur\n"], "wscat sends \"Coucou serveur\" and reads it back");
  demandEqual(await counters(address), {text: {messages: 1, bytes: 14}, binary: {messages: 0, bytes: 0}}, "the server counted that message");

  // From a browser.
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    const page = await browser.newPage({viewport: {width: 1280, height: 960}, colorScheme: "light"});
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (line) => { if (line.type() === "error" && !line.text().includes("ERR_CONNECTION_REFUSED")) complaints.push(line.text()); });
    await page.goto(address);
    await within(10, "the page is connected", async () => (await link(page))[0] === "open");

    const text = randomText();
    await page.fill("#text", text);
    await page.click("#text-form button");
    let back = await newest(page, 1);
    demandEqual([back.kind, back.outcome, sha256(back.said)], ["text", "identical", sha256(text)], "random text comes back to the page, SHA-256 compared");

    const bytes = randomBytes(1024 * 1024), file = path.join(scratch, "random.bin");
    writeFileSync(file, bytes);
    await page.setInputFiles("#file", file);
    back = await newest(page, 2);
    demandEqual([back.kind, back.outcome, back.digest], ["file", "identical", sha256(bytes)], "1 MiB of random bytes comes back as a file, SHA-256 compared");
    demandEqual(sha256(await savedBytes(page)), sha256(bytes), "what the page offers to save is that file");
    demandEqual(await counters(address),
                {text: {messages: 2, bytes: 14 + Buffer.byteLength(text)}, binary: {messages: 1, bytes: 1024 * 1024}},
                "the server's own counters show exactly those messages");

    const other = await browser.newPage();
    await other.goto(address);
    await within(10, "the page shows who else is connected", () => page.evaluate(() => document.querySelectorAll("#who li").length === 2));
    demand(await page.evaluate(() => document.querySelectorAll("#who .you").length === 1), "the page shows who else is connected, and which one it is");
    await other.close();
    await within(10, "and that they left", () => page.evaluate(() => document.querySelectorAll("#who li").length === 1));

    await within(15, "five round trips are plotted", () => page.evaluate(() => document.querySelectorAll("#plot .pick").length >= 5));

    // The server dies, and comes back.
    server.kill("SIGKILL");
    demandEqual(await server.ended, "SIGKILL", "the server is killed");
    await within(10, "the page says that the server has gone", async () => {
      const [state, words] = await link(page);
      return state === "waiting" && words.startsWith("The server has gone away");
    });
    demand(await page.evaluate(() => document.querySelector("#text-form button").disabled), "the page says that the server has gone, and lets nothing be sent");
    ({server} = await serve(port));
    await within(20, "the page is connected again", async () => (await link(page))[0] === "open");
    await page.fill("#text", "Still there?");
    await page.click("#text-form button");
    back = await newest(page, 3);
    demandEqual([back.outcome, back.said], ["identical", "Still there?"], "the page says that the server is back, and what it sends comes back");
    demandEqual(await counters(address), {text: {messages: 1, bytes: 12}, binary: {messages: 0, bytes: 0}}, "the new server counted that message alone");
    await within(15, "five round trips more are plotted", () => page.evaluate(() => {
      const away = document.querySelector("#plot .away");
      const end = Number(away.getAttribute("x")) + Number(away.getAttribute("width"));
      return [...document.querySelectorAll("#plot .pick")].filter((p) => Number(p.getAttribute("cx")) >= end - 1).length >= 5;
    }));

    const points = await page.evaluate(() => [...document.querySelectorAll("#plot .pick")].map((p) => Number(p.dataset.ms)));
    demand(points.length >= 10 && points.every((ms) => ms > 0 && ms < 10_000), `${points.length} plotted round trips are read from the page, ${Math.min(...points)} ms to ${Math.max(...points)} ms`);

    mkdirSync(path.dirname(screenshot), {recursive: true});
    await page.evaluate(() => scrollTo(0, 0)); // the selvage at the top is fixed to the window
    await page.screenshot({path: screenshot, fullPage: true});
    console.log(`ok: a screenshot is in ${screenshot}`);

    server.kill("SIGTERM");
    demandEqual(await server.ended, 0, "the server ends gracefully on SIGTERM");
    await within(10, "the page says that the server said goodbye", () => page.evaluate(() =>
      document.querySelector("#log .seam").textContent === "The server said that it is going away."));
    demandEqual(complaints, [], "the browser's console has no error");
  } finally {
    await browser.close();
  }
}

check().then(() => 0, (error) => {
  console.log(`failed: ${error.message}`);
  return 1;
}).then((status) => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(scratch, {recursive: true, force: true});
  process.exit(status);
});
