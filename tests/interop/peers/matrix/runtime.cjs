// The runtimes whose interface is the W3C's: Bun, Deno, and Node.js with undici; the first two serve as well.
"use strict";

const {readFileSync} = require("node:fs");
const path = require("node:path");
const {Echo, run} = require("./echo.cjs");

const isBun = typeof Bun !== "undefined", isDeno = typeof Deno !== "undefined";
if (!isBun && !isDeno) globalThis.WebSocket = require("undici").WebSocket;
const {converse, talk} = new Function(`${readFileSync(path.join(__dirname, "w3c.js"), "utf8")}; return {converse, talk};`)();
const say = (what) => console.log(JSON.stringify(what));

function serveBun(listening) {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, server) => { server.upgrade(request, {headers: {"Sec-WebSocket-Protocol": "echo"}, data: {}}); },
    websocket: {
      maxPayloadLength: 1 << 26,
      perMessageDeflate: true,
      open(ws) {
        ws.data.echo = new Echo({
          send: (data, binary) => ws.send(binary ? data : String(data), true),
          ping: (payload) => ws.ping(payload),
          close: (code, reason) => (code ? ws.close(code, reason) : ws.close()),
          cut: () => ws.terminate(),
        });
      },
      message: (ws, data) => ws.data.echo.message(Buffer.from(data), typeof data !== "string"),
      pong: (ws) => { ++ws.data.echo.pongs; },
      close: (ws, code, reason) => ws.data.echo.report(code, reason),
    },
  });
  listening(server.port);
}

function serveDeno(listening) {
  Deno.serve({hostname: "127.0.0.1", port: 0, onListen: ({port}) => listening(port)}, (request) => {
    const {socket, response} = Deno.upgradeWebSocket(request, {protocol: "echo"});
    converse(socket).then(say);
    return response;
  });
}

run({serve: isBun ? serveBun : serveDeno, call: (url) => talk(url).then(say)});
