// Chromium as a peer: a page of its own for each URL.
"use strict";

const {existsSync} = require("node:fs");
const {chromium} = require("playwright-core");
const {run, site} = require("./echo.cjs");

const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((each) => existsSync(each));
let browser;

run({
  async call(url) {
    browser ??= await chromium.launch({executablePath, args});
    const page = await browser.newPage();
    await page.goto(await site());
    console.log(JSON.stringify(await page.evaluate((to) => talk(to), url))); // eslint-disable-line no-undef
    await page.close();
  },
  end: () => browser?.close(),
});
