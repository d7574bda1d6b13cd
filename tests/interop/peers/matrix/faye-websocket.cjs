// faye-websocket as a peer.
"use strict";

const http = require("node:http");
const WebSocket = require("faye-websocket");
const deflate = require("permessage-deflate");
const {Echo, run} = require("./echo.cjs");

const options = {extensions: [deflate]};

function converse(ws, cut) {
  const echo = new Echo({
    send: (data, binary) => ws.send(binary ? data : String(data)),
    ping: (payload) => ws.ping(payload, () => ++echo.pongs),
    close: (code, reason) => ws.close(code, reason),
    cut,
  });
  ws.on("message", ({data}) => echo.message(Buffer.from(data), typeof data !== "string"));
  ws.on("close", ({code, reason}) => echo.report(code, reason));
}

run({
  serve(listening) {
    const server = http.createServer();
    server.on("upgrade", (request, socket, body) => {
      converse(new WebSocket(request, socket, body, ["echo"], options), () => socket.destroy());
    });
    server.listen(0, "127.0.0.1", () => listening(server.address().port));
  },
  call: (url) => new Promise((resolve, reject) => {
    const ws = new WebSocket.Client(url, ["echo"], options);
    ws.on("error", ({message}) => reject(new Error(message)));
    ws.on("open", () => converse(ws));
    ws.on("close", resolve);
  }),
});
