// Chromium as a peer: a page of its own for each URL.
"use strict";

const {existsSync, readFileSync} = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const {chromium} = require("playwright-core");
const {run} = require("./echo.cjs");

const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((each) => existsSync(each));
const script = readFileSync(path.join(__dirname, "w3c.js"), "utf8");

// A page needs an address that the browser trusts to have the functions for digests.
const site = http.createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(`<!doctype html><script>${script}</script>`));
let browser;

run({
  async call(url) {
    if (!browser) {
      browser = await chromium.launch({executablePath, args});
      await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
    }
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${site.address().port}/`);
    console.log(JSON.stringify(await page.evaluate((to) => talk(to), url)));
    await page.close();
  },
  end: () => browser?.close(),
});
