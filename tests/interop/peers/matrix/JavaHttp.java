// java.net.http, the JDK's own client, as a peer.
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

public final class JavaHttp implements WebSocket.Listener, Echo.Ways {
    private final StringBuilder text = new StringBuilder();
    private final ByteArrayOutputStream binary = new ByteArrayOutputStream();
    private WebSocket ws;
    final Echo echo = new Echo(this);

    @Override public void onOpen(WebSocket opened) {
        ws = opened;
        ws.request(Long.MAX_VALUE);
    }
    @Override public CompletionStage<?> onText(WebSocket from, CharSequence piece, boolean last) {
        text.append(piece);
        if (last) {
            String message = text.toString();
            text.setLength(0);
            echo.text(message);
        }
        return null;
    }
    @Override public CompletionStage<?> onBinary(WebSocket from, ByteBuffer piece, boolean last) {
        byte[] bytes = new byte[piece.remaining()];
        piece.get(bytes);
        binary.writeBytes(bytes);
        if (last) {
            ByteBuffer message = ByteBuffer.wrap(binary.toByteArray());
            binary.reset();
            echo.binary(message);
        }
        return null;
    }
    @Override public CompletionStage<?> onPong(WebSocket from, ByteBuffer payload) {
        ++echo.pongs;
        return null;
    }
    @Override public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
        echo.report(code, reason);
        return null;
    }
    @Override public void onError(WebSocket from, Throwable error) { echo.report(1006, ""); }

    @Override public void send(byte[] piece, boolean isText, boolean first, boolean last) throws Exception {
        var sent = isText ? ws.sendText(new String(piece, StandardCharsets.UTF_8), last) : ws.sendBinary(ByteBuffer.wrap(piece), last);
        sent.get(20, TimeUnit.SECONDS);
    }
    @Override public void ping(byte[] payload) throws Exception { ws.sendPing(ByteBuffer.wrap(payload)).get(20, TimeUnit.SECONDS); }
    @Override public void close(Integer code, String reason) { ws.sendClose(code, reason); }
    @Override public void cut() {
        ws.abort();
        echo.report(1006, "");
    }

    public static void main(String[] words) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        Echo.call(words, url -> {
            JavaHttp peer = new JavaHttp();
            client.newWebSocketBuilder().subprotocols("echo").buildAsync(new URI(url), peer).get(20, TimeUnit.SECONDS);
            return peer.echo;
        });
    }
}
