// Tyrus, by the interface of Jakarta WebSocket, as a peer.
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Extension;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.PongMessage;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerApplicationConfig;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.glassfish.tyrus.client.ClientManager;
import org.glassfish.tyrus.ext.extension.deflate.PerMessageDeflateExtension;
import org.glassfish.tyrus.server.Server;

public final class Tyrus extends Endpoint implements Echo.Ways {
    private static final int LARGEST = 1 << 26;
    private static final String BUFFER = "org.glassfish.tyrus.incomingBufferSize";
    private static final List<Extension> EXTENSIONS = List.of(new PerMessageDeflateExtension());
    private Session session;
    final Echo echo = new Echo(this);

    @Override public void onOpen(Session opened, EndpointConfig config) {
        session = opened;
        session.setMaxTextMessageBufferSize(LARGEST);
        session.setMaxBinaryMessageBufferSize(LARGEST);
        session.addMessageHandler(String.class, echo::text);
        session.addMessageHandler(ByteBuffer.class, echo::binary);
        session.addMessageHandler(PongMessage.class, pong -> ++echo.pongs);
    }
    @Override public void onClose(Session closed, CloseReason why) { echo.report(why.getCloseCode().getCode(), why.getReasonPhrase()); }
    @Override public void onError(Session failed, Throwable error) {}

    @Override public void send(byte[] piece, boolean text, boolean first, boolean last) throws Exception {
        if (text && first && last) session.getBasicRemote().sendText(new String(piece, StandardCharsets.UTF_8));
        else if (text) session.getBasicRemote().sendText(new String(piece, StandardCharsets.UTF_8), last);
        else if (first && last) session.getBasicRemote().sendBinary(ByteBuffer.wrap(piece));
        else session.getBasicRemote().sendBinary(ByteBuffer.wrap(piece), last);
    }
    @Override public void ping(byte[] payload) throws Exception { session.getBasicRemote().sendPing(ByteBuffer.wrap(payload)); }
    @Override public void close(Integer code, String reason) throws Exception {
        session.close(new CloseReason(CloseReason.CloseCodes.getCloseCode(code), reason));
    }
    @Override public void cut() { throw new UnsupportedOperationException(); }

    public static final class Application implements ServerApplicationConfig {
        @Override public Set<ServerEndpointConfig> getEndpointConfigs(Set<Class<? extends Endpoint>> found) {
            return Set.of(ServerEndpointConfig.Builder.create(Tyrus.class, "/echo").subprotocols(List.of("echo"))
                .extensions(EXTENSIONS).build());
        }
        @Override public Set<Class<?>> getAnnotatedEndpointClasses(Set<Class<?>> found) { return Set.of(); }
    }

    public static void main(String[] words) throws Exception {
        java.util.logging.LogManager.getLogManager().reset();
        if (words[0].equals("server")) {
            Server server = new Server("127.0.0.1", 0, "/matrix", Map.of(BUFFER, LARGEST), Application.class);
            server.start();
            Echo.listening(server.getPort());
            Thread.currentThread().join();
        }
        ClientManager client = ClientManager.createClient();
        client.getProperties().put(BUFFER, LARGEST);
        Echo.call(words, url -> {
            Tyrus peer = new Tyrus();
            var config = ClientEndpointConfig.Builder.create().preferredSubprotocols(List.of("echo")).extensions(EXTENSIONS).build();
            client.connectToServer(peer, config, new URI(url));
            return peer.echo;
        });
    }
}
