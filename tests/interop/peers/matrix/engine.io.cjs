// engine.io, which is socket.io's transport, as a peer, by WebSocket alone.
"use strict";

const http = require("node:http");
const {Server} = require("engine.io");
const {Socket} = require("engine.io-client");
const {Echo, run} = require("./echo.cjs");

const options = {transports: ["websocket"], perMessageDeflate: {threshold: 0}, maxHttpBufferSize: 1 << 26};

function converse(socket) {
  const echo = new Echo({
    send: (data, binary) => socket.send(binary ? data : String(data)),
    close: () => socket.close(),
  });
  socket.on("message", (data = "") => echo.message(Buffer.from(data), typeof data !== "string"));
  socket.on("close", () => echo.report(null, null));
}

run({
  serve(listening) {
    const server = http.createServer();
    const engine = new Server(options);
    engine.attach(server, {path: "/"});
    engine.on("connection", converse);
    server.listen(0, "127.0.0.1", () => listening(server.address().port));
  },
  call: (url) => new Promise((resolve, reject) => {
    const {origin, pathname} = new URL(url);
    const socket = new Socket(origin, {...options, path: pathname, protocols: ["echo"]});
    socket.on("error", reject);
    socket.on("open", () => converse(socket));
    socket.on("close", resolve);
  }),
});
