// npm's websocket, which is WebSocket-Node, as a peer.
"use strict";

const http = require("node:http");
const {client: WebSocketClient, server: WebSocketServer} = require("websocket");
const {Echo, run} = require("./echo.cjs");

const options = {maxReceivedFrameSize: 1 << 26, maxReceivedMessageSize: 1 << 26};

function converse(ws) {
  const echo = new Echo({
    send: (data, binary) => (binary ? ws.sendBytes(data) : ws.sendUTF(String(data))),
    ping: (payload) => ws.ping(payload),
    close: (code, reason) => ws.close(code, reason),
    cut: () => ws.drop(1006, "", true),
  });
  ws.on("message", ({type, utf8Data, binaryData}) => {
    if (type === "utf8") echo.message(Buffer.from(utf8Data), false);
    else echo.message(binaryData, true);
  });
  ws.on("pong", () => ++echo.pongs);
  ws.on("close", (code, reason) => echo.report(code, reason));
}

run({
  serve(listening) {
    const httpServer = http.createServer();
    const server = new WebSocketServer({...options, httpServer});
    server.on("request", (request) => {
      converse(request.accept(request.requestedProtocols.includes("echo") ? "echo" : null, request.origin));
    });
    httpServer.listen(0, "127.0.0.1", () => listening(httpServer.address().port));
  },
  call: (url) => new Promise((resolve, reject) => {
    const client = new WebSocketClient(options);
    client.on("connectFailed", reject);
    client.on("connect", (ws) => {
      converse(ws);
      ws.on("close", resolve);
    });
    client.connect(url, ["echo"]);
  }),
});
