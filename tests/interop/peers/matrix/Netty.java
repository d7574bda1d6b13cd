// Netty's codec, with the handlers that come with it, as a peer.
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketClientCompressionHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketServerCompressionHandler;
import java.net.InetSocketAddress;
import java.net.URI;

public final class Netty extends SimpleChannelInboundHandler<WebSocketFrame> implements Echo.Ways {
    private static final int LARGEST = 1 << 26;
    private Channel channel;
    private int code = 1006;
    private String reason = "";
    private boolean closing = false;
    final Echo echo = new Echo(this);

    @Override public void handlerAdded(ChannelHandlerContext context) { channel = context.channel(); }
    @Override public void channelInactive(ChannelHandlerContext context) { echo.report(code, reason); }
    @Override public void exceptionCaught(ChannelHandlerContext context, Throwable error) { context.close(); }
    @Override protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
        if (frame instanceof TextWebSocketFrame text) {
            echo.text(text.text());
        } else if (frame instanceof BinaryWebSocketFrame) {
            echo.binary(frame.content().nioBuffer());
        } else if (frame instanceof PongWebSocketFrame) {
            ++echo.pongs;
        } else if (frame instanceof CloseWebSocketFrame close) {
            code = close.statusCode() < 0 ? 1005 : close.statusCode();
            reason = close.reasonText();
            if (closing) context.close();
            else context.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override public void send(byte[] piece, boolean text, boolean first, boolean last) {
        var data = Unpooled.wrappedBuffer(piece);
        channel.writeAndFlush(!first ? new ContinuationWebSocketFrame(last, 0, data)
            : text ? new TextWebSocketFrame(last, 0, data) : new BinaryWebSocketFrame(last, 0, data));
    }
    @Override public void ping(byte[] payload) { channel.writeAndFlush(new PingWebSocketFrame(Unpooled.wrappedBuffer(payload))); }
    @Override public void close(Integer code, String reason) {
        closing = true;
        channel.writeAndFlush(code == null ? new CloseWebSocketFrame() : new CloseWebSocketFrame(code, reason));
    }
    @Override public void cut() { channel.close(); }

    private static EventLoopGroup group() { return new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory()); }

    private static void serve() throws Exception {
        WebSocketServerProtocolConfig config = WebSocketServerProtocolConfig.newBuilder().websocketPath("/").checkStartsWith(true)
            .subprotocols("echo").allowExtensions(true).maxFramePayloadLength(LARGEST).handleCloseFrames(false).sendCloseFrame(null)
            .dropPongFrames(false).build();
        Channel listening = new ServerBootstrap().group(group()).channel(NioServerSocketChannel.class)
            .childHandler(new ChannelInitializer<Channel>() {
                @Override protected void initChannel(Channel made) {
                    made.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(65536),
                        new WebSocketServerCompressionHandler(0), new WebSocketServerProtocolHandler(config),
                        new WebSocketFrameAggregator(LARGEST), new Netty());
                }
            }).bind("127.0.0.1", 0).sync().channel();
        Echo.listening(((InetSocketAddress) listening.localAddress()).getPort());
        listening.closeFuture().sync();
    }

    public static void main(String[] words) throws Exception {
        if (words[0].equals("server")) {
            serve();
            return;
        }
        EventLoopGroup group = group();
        Echo.call(words, url -> {
            URI to = new URI(url);
            Netty peer = new Netty();
            WebSocketClientProtocolConfig config = WebSocketClientProtocolConfig.newBuilder().webSocketUri(to).subprotocol("echo")
                .allowExtensions(true).customHeaders(new DefaultHttpHeaders()).maxFramePayloadLength(LARGEST)
                .handleCloseFrames(false).sendCloseFrame(null).dropPongFrames(false).build();
            new Bootstrap().group(group).channel(NioSocketChannel.class).handler(new ChannelInitializer<Channel>() {
                @Override protected void initChannel(Channel made) {
                    made.pipeline().addLast(new HttpClientCodec(), new HttpObjectAggregator(65536),
                        new WebSocketClientCompressionHandler(0), new WebSocketClientProtocolHandler(config),
                        new WebSocketFrameAggregator(LARGEST), peer);
                }
            }).connect(to.getHost(), to.getPort()).sync();
            return peer.echo;
        });
    }
}
