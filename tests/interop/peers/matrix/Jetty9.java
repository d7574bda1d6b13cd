// Jetty 9's own WebSocket interface as a peer.
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.StatusCode;
import org.eclipse.jetty.websocket.api.WebSocketListener;
import org.eclipse.jetty.websocket.api.WebSocketPingPongListener;
import org.eclipse.jetty.websocket.client.ClientUpgradeRequest;
import org.eclipse.jetty.websocket.client.WebSocketClient;
import org.eclipse.jetty.websocket.server.WebSocketHandler;
import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;

public final class Jetty9 implements WebSocketListener, WebSocketPingPongListener, Echo.Ways {
    private static final int LARGEST = 1 << 26;
    private Session session;
    final Echo echo = new Echo(this);

    @Override public void onWebSocketConnect(Session opened) { session = opened; }
    @Override public void onWebSocketText(String message) { echo.text(message); }
    @Override public void onWebSocketBinary(byte[] data, int offset, int length) { echo.binary(ByteBuffer.wrap(data, offset, length)); }
    @Override public void onWebSocketPing(ByteBuffer payload) {}
    @Override public void onWebSocketPong(ByteBuffer payload) { ++echo.pongs; }
    @Override public void onWebSocketClose(int code, String reason) { echo.report(code, code == StatusCode.ABNORMAL ? "" : reason); }
    @Override public void onWebSocketError(Throwable error) {}

    @Override public void send(byte[] piece, boolean text, boolean first, boolean last) throws Exception {
        if (first && last) {
            if (text) session.getRemote().sendString(new String(piece, StandardCharsets.UTF_8));
            else session.getRemote().sendBytes(ByteBuffer.wrap(piece));
        } else if (text) {
            session.getRemote().sendPartialString(new String(piece, StandardCharsets.UTF_8), last);
        } else {
            session.getRemote().sendPartialBytes(ByteBuffer.wrap(piece), last);
        }
    }
    @Override public void ping(byte[] payload) throws Exception { session.getRemote().sendPing(ByteBuffer.wrap(payload)); }
    @Override public void close(Integer code, String reason) {
        if (code == null) session.close(StatusCode.NO_CODE, null);
        else session.close(code, reason);
    }
    @Override public void cut() throws Exception { session.disconnect(); }

    private static void serve() throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.setHandler(new WebSocketHandler() {
            @Override public void configure(WebSocketServletFactory factory) {
                factory.getPolicy().setMaxTextMessageSize(LARGEST);
                factory.getPolicy().setMaxBinaryMessageSize(LARGEST);
                factory.setCreator((request, response) -> {
                    if (request.hasSubProtocol("echo")) response.setAcceptedSubProtocol("echo");
                    return new Jetty9();
                });
            }
        });
        server.start();
        Echo.listening(connector.getLocalPort());
        server.join();
    }

    public static void main(String[] words) throws Exception {
        if (words[0].equals("server")) {
            serve();
            return;
        }
        Echo.call(words, url -> {
            // One for each connection: connect() of one whose last connection is just closing sometimes never ends.
            WebSocketClient client = new WebSocketClient();
            client.getPolicy().setMaxTextMessageSize(LARGEST);
            client.getPolicy().setMaxBinaryMessageSize(LARGEST);
            client.start();
            Jetty9 peer = new Jetty9();
            ClientUpgradeRequest request = new ClientUpgradeRequest();
            request.setSubProtocols("echo");
            request.addExtensions("permessage-deflate");
            client.connect(peer, new URI(url), request).get(20, TimeUnit.SECONDS);
            return peer.echo;
        });
    }
}
