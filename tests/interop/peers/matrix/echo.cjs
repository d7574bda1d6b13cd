// What each peer in JavaScript does with a connection (README.md). `ways` are the peer's own: send(data, binary, fragments),
// ping(payload), close(code, reason), cut().
"use strict";

const {createHash} = require("node:crypto");
const {readFileSync} = require("node:fs");
const http = require("node:http");
const path = require("node:path");

class Echo {
  constructor(ways) {
    Object.assign(this, {ways, pongs: 0, fragments: 1, hash: createHash("sha256")});
  }

  message(data, binary) {
    const text = binary ? "" : String(data);
    const [command, first, ...rest] = text.split(" ");
    if (command === "/fragments") this.fragments = Number(first);
    else if (command === "/pings") for (let i = 0; i < Number(first); ++i) this.ways.ping(String(i));
    else if (command === "/close") this.ways.close(first && Number(first), rest.join(" "));
    else if (command === "/cut") this.ways.cut();
    else {
      this.hash.update(data);
      this.ways.send(data, binary, this.fragments);
    }
  }

  report(code, reason) {
    console.log(JSON.stringify({code, reason: String(reason ?? ""), pongs: this.pongs, sha256: this.hash.digest("hex")}));
  }
}

// Buffer `data` in `count` pieces: calls piece(part, first, last).
function inPieces(data, count, piece) {
  const at = (i) => Math.floor((data.length * i) / count);
  for (let i = 0; i < count; ++i) piece(data.subarray(at(i), at(i + 1)), i === 0, i + 1 === count);
}

// Runs the role that the command line names: serve(listening) tells `listening` its port; call(url) is resolved when its
// connection has ended, and rejected if it could not be opened; end() comes after the last.
async function run({serve, call, end}) {
  const [role, ...urls] = process.argv.slice(2);
  if (role === "server") return serve((port) => console.log(`listening on ${port}`));
  for (const url of urls) await call(url).catch((error) => console.log(JSON.stringify({error: error.message})));
  await end?.();
  process.exit(0);
}

let home;

// The address of a page that has the functions of w3c.js, as one that the browser trusts to have those for digests.
async function site() {
  if (!home) {
    const text = `<!doctype html><script>${readFileSync(path.join(__dirname, "w3c.js"), "utf8")}</script>`;
    const server = http.createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(text));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    home = `http://127.0.0.1:${server.address().port}/`;
  }
  return home;
}

module.exports = {Echo, inPieces, run, site};
