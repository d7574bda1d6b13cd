# Ruby's websocket-driver over plain sockets as a peer.
require "digest"
require "json"
require "socket"
require "uri"
require "websocket/driver"

# What the driver asks of a transport.
Transport = Struct.new(:socket, :url) do
  def write(data)
    socket.write(data)
  end
end

def pieces_read(socket, driver)
  driver.parse(socket.readpartial(65_536)) until socket.closed?
rescue IOError, SystemCallError
  # The other end has gone, or we have.
end

# Sets what is done with a connection; calls `ended` with what was seen of it.
def converse(driver, socket, &ended)
  hash = Digest::SHA256.new
  pongs = 0
  seen = { code: 1006, reason: "" }
  driver.on(:message) do |event|
    command, number, reason = event.data.is_a?(String) ? event.data.split(" ", 3) : []
    case command
    when "/pings" then number.to_i.times { |i| driver.ping(i.to_s) { pongs += 1 } }
    when "/close" then driver.close(reason, number.to_i)
    when "/cut" then socket.close
    else
      hash << (event.data.is_a?(String) ? event.data : event.data.pack("C*"))
      event.data.is_a?(String) ? driver.text(event.data) : driver.binary(event.data)
    end
  end
  driver.on(:close) do |event|
    seen = { code: event.code, reason: event.reason }
    socket.close
  end
  -> { ended.call(seen.merge(pongs: pongs, sha256: hash.hexdigest)) }
end

def say(what)
  puts JSON.generate(what)
  $stdout.flush
end

def serve
  listener = TCPServer.new("127.0.0.1", 0)
  puts "listening on #{listener.addr[1]}"
  $stdout.flush
  loop do
    socket = listener.accept
    driver = WebSocket::Driver.server(Transport.new(socket), protocols: ["echo"], max_length: 1 << 26)
    driver.on(:connect) { driver.start }
    done = converse(driver, socket) { |seen| say(seen) }
    pieces_read(socket, driver)
    done.call
  end
end

def call(url)
  socket = TCPSocket.new("127.0.0.1", URI(url).port)
  driver = WebSocket::Driver.client(Transport.new(socket, url), protocols: ["echo"], max_length: 1 << 26)
  opened = false
  driver.on(:open) { opened = true }
  done = converse(driver, socket) { |seen| say(opened ? seen : { error: "it did not open: #{seen}" }) }
  driver.start
  pieces_read(socket, driver)
  done.call
end

if ARGV[0] == "server" then serve else ARGV.drop(1).each { |url| call(url) } end
