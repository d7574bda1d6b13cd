// What each peer in Java does with a connection (README.md).
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;

final class Echo {
    // A peer's own ways. `send` gives away one frame of a message.
    interface Ways {
        void send(byte[] piece, boolean text, boolean first, boolean last) throws Exception;
        void ping(byte[] payload) throws Exception;
        void close(Integer code, String reason) throws Exception;
        void cut() throws Exception;
    }

    private final Ways ways;
    private final MessageDigest hash;
    private int fragments = 1;
    private boolean reported = false;
    Integer pongs = 0;

    Echo(Ways ways) {
        this.ways = ways;
        try {
            hash = MessageDigest.getInstance("SHA-256");
        } catch (java.security.NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }

    void text(String message) {
        if (!message.startsWith("/")) {
            echo(message.getBytes(StandardCharsets.UTF_8), true);
            return;
        }
        String[] words = message.split(" ", 3);
        try {
            switch (words[0]) {
                case "/fragments" -> fragments = Integer.parseInt(words[1]);
                case "/pings" -> {
                    for (int i = 0; i < Integer.parseInt(words[1]); ++i) ways.ping(Integer.toString(i).getBytes());
                }
                case "/close" -> ways.close(words.length > 1 ? Integer.valueOf(words[1]) : null, words.length > 2 ? words[2] : "");
                default -> ways.cut();
            }
        } catch (Exception error) {
            error.printStackTrace();
        }
    }

    void binary(ByteBuffer message) {
        byte[] data = new byte[message.remaining()];
        message.get(data);
        echo(data, false);
    }

    private void echo(byte[] data, boolean text) {
        hash.update(data);
        try {
            int begin = 0;
            for (int i = 1; i <= fragments; ++i) {
                int end = (int) ((long) data.length * i / fragments);
                // Most take text as characters: none is cut.
                while (text && end < data.length && (data[end] & 0xC0) == 0x80) ++end;
                ways.send(java.util.Arrays.copyOfRange(data, begin, end), text, i == 1, i == fragments);
                begin = end;
            }
        } catch (Exception error) {
            error.printStackTrace();
        }
    }

    // Says how it ended, once.
    synchronized void report(int code, String reason) {
        if (reported) return;
        reported = true;
        System.out.println("{\"code\": " + code + ", \"reason\": \"" + (reason == null ? "" : reason) + "\", \"pongs\": " + pongs
            + ", \"sha256\": \"" + HexFormat.of().formatHex(hash.digest()) + "\"}");
        System.out.flush();
        notifyAll();
    }

    // A client waits for the end of one connection before it opens the next.
    synchronized void await() throws InterruptedException {
        for (int i = 0; !reported && i < 60; ++i) wait(1000);
    }

    static void listening(int port) {
        System.out.println("listening on " + port);
        System.out.flush();
    }

    interface Call {
        Echo open(String url) throws Exception;
    }

    static void call(String[] words, Call call) throws Exception {
        for (int i = 1; i < words.length; ++i) {
            Echo echo;
            try {
                echo = call.open(words[i]);
            } catch (Exception error) {
                System.out.println("{\"error\": \"" + String.valueOf(error).replaceAll("[\"\\\\\\n]", " ") + "\"}");
                continue;
            }
            echo.await();
        }
        System.exit(0);
    }
}
