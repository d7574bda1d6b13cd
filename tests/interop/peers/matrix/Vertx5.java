// Vert.x 5 as a peer.
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.WebSocketBase;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.http.WebSocketFrame;
import java.net.URI;
import java.util.concurrent.TimeUnit;

public final class Vertx5 implements Echo.Ways {
    private static final int LARGEST = 1 << 26;
    private final WebSocketBase ws;
    final Echo echo = new Echo(this);

    Vertx5(WebSocketBase opened) {
        ws = opened;
        ws.textMessageHandler(echo::text);
        ws.binaryMessageHandler(data -> echo.binary(java.nio.ByteBuffer.wrap(data.getBytes())));
        ws.pongHandler(payload -> ++echo.pongs);
        ws.exceptionHandler(error -> {});
        ws.closeHandler(nothing -> {
            Short code = ws.closeStatusCode();
            echo.report(code == null ? 1006 : code, ws.closeReason());
        });
    }

    @Override public void send(byte[] piece, boolean text, boolean first, boolean last) {
        Buffer data = Buffer.buffer(piece);
        ws.writeFrame(!first ? WebSocketFrame.continuationFrame(data, last)
            : text ? WebSocketFrame.textFrame(data.toString(), last) : WebSocketFrame.binaryFrame(data, last));
    }
    @Override public void ping(byte[] payload) { ws.writePing(Buffer.buffer(payload)); }
    @Override public void close(Integer code, String reason) {
        if (code == null) ws.close();
        else ws.close(code.shortValue(), reason);
    }
    @Override public void cut() { throw new UnsupportedOperationException(); }

    public static void main(String[] words) throws Exception {
        Vertx vertx = Vertx.vertx();
        if (words[0].equals("server")) {
            HttpServerOptions options = new HttpServerOptions().setHost("127.0.0.1").setPort(0).setMaxWebSocketFrameSize(LARGEST)
                .setMaxWebSocketMessageSize(LARGEST).setPerMessageWebSocketCompressionSupported(true).addWebSocketSubProtocol("echo");
            vertx.createHttpServer(options).webSocketHandler(Vertx5::new).listen()
                .onSuccess(server -> Echo.listening(server.actualPort()));
            return;
        }
        WebSocketClient client = vertx.createWebSocketClient(new WebSocketClientOptions().setMaxFrameSize(LARGEST)
            .setMaxMessageSize(LARGEST).setTryUsePerMessageCompression(true));
        Echo.call(words, url -> {
            URI to = new URI(url);
            WebSocketConnectOptions options = new WebSocketConnectOptions().setHost(to.getHost()).setPort(to.getPort())
                .setURI(to.getPath()).addSubProtocol("echo");
            return client.connect(options).map(ws -> new Vertx5(ws).echo).toCompletionStage().toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
        });
    }
}
