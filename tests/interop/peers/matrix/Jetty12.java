// Jetty 12's own WebSocket interface as a peer.
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.StatusCode;
import org.eclipse.jetty.websocket.client.ClientUpgradeRequest;
import org.eclipse.jetty.websocket.client.WebSocketClient;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

public final class Jetty12 implements Session.Listener.AutoDemanding, Echo.Ways {
    private static final int LARGEST = 1 << 26;
    private Session session;
    final Echo echo = new Echo(this);

    @Override public void onWebSocketOpen(Session opened) { session = opened; }
    @Override public void onWebSocketText(String message) { echo.text(message); }
    @Override public void onWebSocketBinary(ByteBuffer data, Callback callback) {
        echo.binary(data);
        callback.succeed();
    }
    @Override public void onWebSocketPong(ByteBuffer payload) { ++echo.pongs; }
    @Override public void onWebSocketClose(int code, String reason, Callback callback) {
        echo.report(code, code == StatusCode.ABNORMAL ? "" : reason);
        callback.succeed();
    }

    private static void done(java.util.function.Consumer<Callback.Completable> sending) throws Exception {
        Callback.Completable sent = new Callback.Completable();
        sending.accept(sent);
        sent.get(20, TimeUnit.SECONDS);
    }
    @Override public void send(byte[] piece, boolean text, boolean first, boolean last) throws Exception {
        ByteBuffer bytes = ByteBuffer.wrap(piece);
        String words = text ? new String(piece, StandardCharsets.UTF_8) : "";
        boolean whole = first && last;
        done(sent -> {
            if (text && whole) session.sendText(words, sent);
            else if (text) session.sendPartialText(words, last, sent);
            else if (whole) session.sendBinary(bytes, sent);
            else session.sendPartialBinary(bytes, last, sent);
        });
    }
    @Override public void ping(byte[] payload) throws Exception { done(sent -> session.sendPing(ByteBuffer.wrap(payload), sent)); }
    @Override public void close(Integer code, String reason) {
        session.close(code == null ? StatusCode.NO_CODE : code, code == null ? null : reason, Callback.NOOP);
    }
    @Override public void cut() { session.disconnect(); }

    private static void serve() throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.setHandler(WebSocketUpgradeHandler.from(server, container -> {
            container.setMaxTextMessageSize(LARGEST);
            container.setMaxBinaryMessageSize(LARGEST);
            container.addMapping("/*", (request, response, callback) -> {
                if (request.hasSubProtocol("echo")) response.setAcceptedSubProtocol("echo");
                return new Jetty12();
            });
        }));
        server.start();
        Echo.listening(connector.getLocalPort());
        server.join();
    }

    public static void main(String[] words) throws Exception {
        if (words[0].equals("server")) {
            serve();
            return;
        }
        WebSocketClient client = new WebSocketClient();
        client.setMaxTextMessageSize(LARGEST);
        client.setMaxBinaryMessageSize(LARGEST);
        client.start();
        Echo.call(words, url -> {
            Jetty12 peer = new Jetty12();
            ClientUpgradeRequest request = new ClientUpgradeRequest(new URI(url));
            request.setSubProtocols("echo");
            request.addExtensions("permessage-deflate");
            client.connect(peer, request).get(20, TimeUnit.SECONDS);
            return peer.echo;
        });
    }
}
