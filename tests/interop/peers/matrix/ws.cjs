// npm's ws as a peer.
"use strict";

const {WebSocket, WebSocketServer} = require("ws");
const {Echo, inPieces, run} = require("./echo.cjs");

const options = {perMessageDeflate: {threshold: 0}, maxPayload: 1 << 26};

function converse(ws) {
  const echo = new Echo({
    send: (data, binary, fragments) => inPieces(data, fragments, (part, _, last) => ws.send(part, {binary, fin: last})),
    ping: (payload) => ws.ping(payload),
    close: (code, reason) => ws.close(code, reason),
    cut: () => ws.terminate(),
  });
  ws.on("message", (data, binary) => echo.message(data, binary));
  ws.on("pong", () => ++echo.pongs);
  ws.on("close", (code, reason) => echo.report(code, reason));
}

run({
  serve(listening) {
    const handleProtocols = (offered) => offered.has("echo") && "echo";
    const server = new WebSocketServer({...options, handleProtocols, host: "127.0.0.1", port: 0});
    server.on("listening", () => listening(server.address().port));
    server.on("connection", converse);
  },
  call: (url) => new Promise((resolve, reject) => {
    const ws = new WebSocket(url, ["echo"], options);
    ws.on("error", reject);
    ws.on("open", () => converse(ws));
    ws.on("close", resolve);
  }),
});
