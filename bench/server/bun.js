// Bun's own WebSocket server (uWebSockets inside, under JavaScript handlers) as an echo server.
const server = Bun.serve({
    hostname: "127.0.0.1",
    port: Number(process.argv[2]),
    fetch(request, server) {
        return server.upgrade(request) ? undefined : new Response("This is a WebSocket server.\n", { status: 426 });
    },
    websocket: {
        message(from, message) { from.send(message); },
        maxPayloadLength: 64 << 20,
        backpressureLimit: 64 << 20,
        perMessageDeflate: false,
    },
});
console.log(`listening on ws://127.0.0.1:${server.port}/`);
