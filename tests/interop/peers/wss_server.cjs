// npm's ws over TLS, an echo: wss_server.cjs CHAIN KEY. Prints its port.
"use strict";

const {readFileSync} = require("node:fs");
const {createServer} = require("node:https");
const {WebSocketServer} = require("ws");

const [chain, key] = process.argv.slice(2);
const https = createServer({cert: readFileSync(chain), key: readFileSync(key)});
new WebSocketServer({server: https}).on("connection", (ws) => ws.on("message", (data, binary) => ws.send(data, {binary})));
https.listen(0, "127.0.0.1", () => console.log(https.address().port));
