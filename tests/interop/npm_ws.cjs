// npm's ws against navette, in both directions: what one sends the other has received, to the byte.
"use strict";

const {execFileSync, spawn} = require("node:child_process");
const {randomBytes} = require("node:crypto");
const {once} = require("node:events");
const {appendFileSync, mkdtempSync, readFileSync, rmSync} = require("node:fs");
const {tmpdir} = require("node:os");
const path = require("node:path");
const {WebSocket, WebSocketServer} = require("ws");

const build = process.env.NAVETTE_BUILD || path.join(__dirname, "../../build/release");
const client = path.join(build, "tests/interop_client"), wscat = path.join(build, "examples/wscat"), echo = path.join(build, "examples/echo_server");
const sizes = [0, 1, 125, 126, 65535, 65536, 1 << 20];
const patience = 30_000;
const started = new Set();
const cases = [];
const test = (name, body) => cases.push([name, body]);

function equal(found, expected) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`found ${a.slice(0, 300)}, expected ${b.slice(0, 300)}`);
}

function within(promise, what = "the case") {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what} did not end`)), patience); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function start(program, ...options) {
  const child = spawn(program, options, {stdio: ["pipe", "pipe", "pipe"]});
  started.add(child);
  child.out = child.err = "";
  child.stdout.setEncoding("utf8").on("data", (piece) => { child.out += piece; child.emit("said"); });
  child.stderr.setEncoding("utf8").on("data", (piece) => { child.err += piece; });
  child.ended = new Promise((resolve) => child.on("close", (code) => { started.delete(child); resolve([code, child.out, child.err]); }));
  return child;
}

async function echoServer(...options) {
  const server = start(echo, "--port", "0", ...options);
  while (!server.out.includes("\n")) await once(server, "said");
  return [server, server.out.trim().replace("listening on ", "")];
}

const text = (size) => {
  const whole = "é中🧵a".repeat(Math.floor(size / 10));
  return whole + "x".repeat(size - Buffer.byteLength(whole));
};

async function echoed(ws, message) {
  const back = once(ws, "message");
  ws.send(message);
  const [data, binary] = await back;
  equal([binary, data.length], [typeof message !== "string", Buffer.byteLength(message)]);
  if (!data.equals(Buffer.from(message))) throw new Error("different bytes came back");
}

async function withClient(use, {options = [], protocols = [], settings = {}} = {}) {
  const [server, url] = await echoServer(...options);
  const ws = new WebSocket(url, protocols, {maxPayload: 1 << 30, ...settings});
  ws.on("error", () => {});
  await once(ws, "open");
  await use(ws, server, url);
  if (ws.readyState !== WebSocket.CLOSED) {
    ws.close();
    await once(ws, "close");
  }
  return server;
}

async function withServer(use, {program = client, options = [], stdin = "", settings = {}} = {}) {
  const server = new WebSocketServer({host: "127.0.0.1", port: 0, maxPayload: 1 << 30, ...settings});
  try {
    await once(server, "listening");
    const child = start(program, ...options, `ws://127.0.0.1:${server.address().port}/`);
    child.stdin.end(stdin);
    const [ws] = await within(once(server, "connection"), "the opening handshake");
    ws.on("error", () => {});
    const closed = once(ws, "close");
    await use(ws, closed);
    await closed;
    return await child.ended;
  } finally {
    for (const ws of server.clients) ws.terminate();
    server.close();
  }
}

// ---- its client, our server

test("client: text and binary of every size come back", () => withClient(async (ws) => {
  for (const size of sizes) {
    await echoed(ws, text(size));
    await echoed(ws, randomBytes(size));
  }
}));

test("client: over TLS, text and binary of every size come back, and it closes", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "navette-"));
  try {
    const [cert, key] = [path.join(folder, "cert.pem"), path.join(folder, "key.pem")];
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
      "-out", cert, "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"], {stdio: "ignore"});
    await withClient(async (ws, _, url) => {
      equal(url.startsWith("wss://"), true);
      for (const size of sizes) {
        await echoed(ws, text(size));
        await echoed(ws, randomBytes(size));
      }
      const closed = once(ws, "close");
      ws.close(3001, "enough");
      equal((await closed)[0], 3001);
    }, {options: ["--cert", cert, "--key", key], settings: {ca: readFileSync(cert)}});
  } finally {
    rmSync(folder, {recursive: true});
  }
});

test("client: 16 MiB come back, and one byte more is 1009", () => withClient(async (ws) => {
  await echoed(ws, randomBytes(16 << 20));
  ws.send(Buffer.alloc((16 << 20) + 1));
  equal((await once(ws, "close"))[0], 1009);
}));

test("client: a fragmented message comes back whole, and a ping between is answered", () => withClient(async (ws) => {
  const back = once(ws, "message"), pong = once(ws, "pong");
  ws.send("Cou", {fin: false});
  ws.ping("there?");
  ws.send("", {fin: false});
  ws.send("cou", {fin: true});
  equal([String((await pong)[0]), String((await back)[0])], ["there?", "Coucou"]);
}));

test("client: a thousand messages under way come back in order", () => withClient(async (ws) => {
  const found = [];
  const all = new Promise((resolve) => ws.on("message", (data) => { if (found.push(String(data)) === 1000) resolve(); }));
  const sent = Array.from({length: 1000}, (_, i) => `${i} ${"x".repeat(i % 300)}`);
  for (const message of sent) ws.send(message);
  await all;
  equal(found, sent);
}));

for (const [code, reason] of [[1000, ""], [3001, "enough"], [4999, "é".repeat(61)]])
  test(`client: it closes with ${code}`, () => withClient(async (ws) => {
    ws.close(code, reason);
    equal((await once(ws, "close"))[0], code);
  }));

test("client: the server closes with 1001", async () => {
  const server = await withClient(async (ws, running) => {
    await echoed(ws, "there?");
    running.kill("SIGTERM");
    equal((await once(ws, "close"))[0], 1001);
  });
  const [status, , err] = await server.ended;
  equal([status, err], [0, ""]);
});

test("client: it aborts, and the server goes on", () => withClient(async (ws, _, url) => {
  ws.send("x".repeat(100000));
  ws.terminate();
  await once(ws, "close");
  const again = new WebSocket(url);
  await once(again, "open");
  await echoed(again, "still there");
  again.terminate();
}));

test("client: the subprotocol is agreed in its order", () => withClient(async (ws) => equal(ws.protocol, "b"),
  {options: ["--subprotocols", "a,b"], protocols: ["c", "b", "a"]}));

test("client: its offer of compression is declined by --no-deflate", () => withClient(async (ws) => {
  equal(ws.extensions, "");
  await echoed(ws, text(1000));
}, {options: ["--no-deflate"], settings: {perMessageDeflate: true}}));

test("client: an origin that is not listed gets 403", async () => {
  const [, url] = await echoServer("--origin", "http://a.example");
  const ws = new WebSocket(url, {origin: "http://b.example"});
  ws.on("error", () => {});
  const [, answer] = await once(ws, "unexpected-response");
  equal(answer.statusCode, 403);
  ws.terminate();
});

// ---- its server, our client

test("server: text and binary of every size, and 16 MiB, come back", async () => {
  const [status, out] = await withServer(async (ws) => {
    for (const size of sizes) {
      await echoed(ws, text(size));
      await echoed(ws, randomBytes(size));
    }
    await echoed(ws, randomBytes(16 << 20));
    ws.close(1000);
  });
  equal([status, out], [0, "open \nclosed 1000 \n"]);
});

test("server: one byte more than 16 MiB is refused with 1009", async () => {
  const [, out] = await withServer(async (ws, closed) => {
    ws.send(Buffer.alloc((16 << 20) + 1));
    equal((await closed)[0], 1009);
  });
  if (!out.includes("message_too_big")) throw new Error(out);
});

test("server: fragmented messages, received and sent", async () => {
  const [status] = await withServer(async (ws) => {
    const back = once(ws, "message");
    ws.send("Cou", {fin: false});
    ws.send("", {fin: false});
    ws.send("cou", {fin: true});
    equal(String((await back)[0]), "Coucou");
    ws.send("/fragments 7");
    await echoed(ws, text(1000));
    await echoed(ws, randomBytes(100000));
    ws.close(1000);
  });
  equal(status, 0);
});

test("server: pings both ways", async () => {
  const [status, out] = await withServer(async (ws) => {
    const pong = once(ws, "pong"), ping = once(ws, "ping");
    ws.ping("there?");
    equal(String((await pong)[0]), "there?");
    ws.send("/ping hello");
    equal(String((await ping)[0]), "hello");
    await echoed(ws, "after the ping");
    ws.close(1000);
  });
  equal([status, out], [0, "open \nclosed 1000 \n"]);
});

for (const [code, reason] of [[1000, ""], [1001, "away"], [3000, "é".repeat(61)], [4999, "x"]])
  test(`server: the server closes with ${code}`, async () => {
    const [status, out] = await withServer(async (ws, closed) => {
      ws.close(code, reason);
      const [found] = await closed;
      equal(found, code);
    });
    equal([status, out], [0, `open \nclosed ${code} ${reason}\n`]);
  });

for (const [code, reason] of [[1000, ""], [3000, "enough"], [4999, "é".repeat(61)]])
  test(`server: the client closes with ${code}`, async () => {
    const [status] = await withServer(async (ws, closed) => {
      ws.send(`/close ${code} ${reason}`);
      const [found, why] = await closed;
      equal([found, String(why)], [code, reason]);
    });
    equal(status, 0);
  });

test("server: the server aborts", async () => {
  const [, out] = await withServer(async (ws) => {
    await echoed(ws, "there?");
    ws.terminate();
  });
  if (!out.startsWith("open \nfailed ")) throw new Error(out);
});

test("server: the client aborts", async () => {
  const [status] = await withServer(async (ws, closed) => {
    ws.send("/abort");
    equal((await closed)[0], 1006);
  });
  equal(status, 0);
});

test("server: the subprotocol is agreed", async () => {
  const [status, out] = await withServer(async (ws) => ws.close(1000),
    {options: ["c", "b"], settings: {handleProtocols: (offered) => (offered.has("b") ? "b" : false)}});
  equal([status, out], [0, "open b\nclosed 1000 \n"]);
});

test("server: wscat's lines are received, and what comes is printed", async () => {
  const lines = `Coucou serveur\n\né中🧵\n${"x".repeat(70000)}\n`;
  const [status, out, err] = await withServer(async (ws, closed) => {
    ws.on("message", (data) => ws.send(String(data)));
    equal((await closed)[0], 1000);
  }, {program: wscat, stdin: lines});
  equal([status, out, err], [0, lines, ""]);
});

test("server: wscat names the status it is refused with", async () => {
  const server = new WebSocketServer({host: "127.0.0.1", port: 0, verifyClient: (_, done) => done(false, 401, "Unauthorized")});
  await once(server, "listening");
  const child = start(wscat, `ws://127.0.0.1:${server.address().port}/`);
  const [status, , err] = await child.ended;
  server.close();
  equal([status, err.includes("401"), err.split("\n").length], [1, true, 2]);
});

function report(line) {
  console.log(line);
  if (process.env.NAVETTE_RESULTS) appendFileSync(process.env.NAVETTE_RESULTS, `${line}\n`);
}

(async () => {
  let failed = 0;
  for (const [name, body] of cases) {
    try {
      await within(body());
      report(`PASS npm-ws ${name}`);
    } catch (error) {
      ++failed;
      report(`FAIL npm-ws ${name}: ${error.message.replaceAll(/\s+/g, " ")}`);
    }
    for (const child of started) child.kill("SIGKILL");
  }
  process.exit(failed ? 1 : 0);
})();
