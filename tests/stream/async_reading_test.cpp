#include <navette/stream/async_reading.hpp>

#include "support/async_pair.hpp"
#include "support/toy_extension.hpp"

using namespace navette;

namespace {

using server = async_pair<role::server>;
using client = async_pair<role::client>;

constexpr auto canceled = std::errc::operation_canceled;

} // namespace

TEMPLATE_TEST_CASE("a read waits for the rest of a message", "[async][6455:5.4]", server, client) {
    TestType pair;
    begun    read(pair.ws->read());
    pair.says("01 03 486565");
    CHECK_FALSE(read.is_done());
    pair.says("80 02 6c6c");
    CHECK(told(read.result()) == "text Heell");
}

TEMPLATE_TEST_CASE("messages that came together are read one after the other, without a read of the stream", "[async]", server, client) {
    TestType pair;
    pair.says("81 01 61 82 01 62 81 00");
    CHECK(told(pair.loop.wait_for(pair.ws->read())) == "text a");
    const auto calls = pair.peer.plan->calls;
    CHECK(told(pair.loop.wait_for(pair.ws->read())) == "binary b");
    CHECK(told(pair.loop.wait_for(pair.ws->read())) == "text ");
    CHECK(pair.peer.plan->calls == calls);
}

TEMPLATE_TEST_CASE("what came behind the handshake is read first", "[async]", server, client) {
    TestType pair({}, default_limits, {}, "81 01 61 81 02 62");
    CHECK(told(pair.loop.wait_for(pair.ws->read())) == "text a");
    begun read(pair.ws->read());
    pair.loop.run();
    CHECK_FALSE(read.is_done());
    pair.peer.say(role_of<typename TestType::protocol> == role::server ? bytes("99") : bytes("63"));   // 63 ^ fa
    CHECK(told(read.result()) == "text bc");
}

TEMPLATE_TEST_CASE("a large message goes straight into its place, however it comes", "[async]", server, client) {
    for (const std::size_t most : {std::size_t{1'000}, std::size_t{16'384}, std::size_t{50'000}}) {
        TestType pair;
        pair.peer.plan->most = most;
        byte_vector payload(300'000);
        for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::byte>(i * 7 + i / 256);
        begun read(pair.ws->read());
        pair.says(concat(frame(0x82, payload), frame(0x81, "end")));
        const auto got = read.result();
        REQUIRE(got);
        CHECK(bytes(got->data) == payload);
        CHECK(told(pair.loop.wait_for(pair.ws->read())) == "text end");
    }
}

TEMPLATE_TEST_CASE("a message is read at every split of its bytes", "[async]", server, client) {
    const auto wire = bytes("89 01 70 01 02 6865 80 03 6c6c6f 82 7e 0080" + [] {
        std::string hex;
        for (int i = 0; i < 128; ++i) hex += "ab";
        return hex;
    }());
    for (std::size_t most = 1; most < 20; ++most) {
        TestType pair;
        pair.peer.plan->most = most;
        begun first(pair.ws->read());
        pair.says(wire);
        CHECK(told(first.result()) == "text hello");
        const auto second = pair.loop.wait_for(pair.ws->read());
        REQUIRE(second);
        CHECK(second->data.size() == 128);
        CHECK(pair.hears() == bytes("8a 01 70"));
    }
}

TEMPLATE_TEST_CASE("a message is read into the caller's memory", "[async]", server, client) {
    TestType    pair;
    byte_vector place(5);
    begun       read(pair.ws->read_into(place));
    pair.says("01 02 6865 89 00 80 03 6c6c6f");
    const auto got = read.result();
    REQUIRE(got);
    CHECK(got->data.data() == place.data());
    CHECK(got->text() == "hello");
    CHECK(pair.hears() == bytes("8a 00"));
    pair.says("82 01 21");
    CHECK(told(pair.loop.wait_for(pair.ws->read_into(place))) == "binary !");
}

TEMPLATE_TEST_CASE("a message that is longer than the caller's memory fails the connection as soon as that is known",
                   "[async][6455:7.4.1]", server, client) {
    TestType    pair;
    byte_vector place(5);
    begun       read(pair.ws->read_into(place));
    pair.says(header(0x82, 6));
    CHECK(pair.hears() == bytes("88 02 03F1"));   // 1009, before a byte of payload
    pair.peer.end();
    CHECK(read.result().error() == errc::message_too_big);
}

TEMPLATE_TEST_CASE("a message of exactly the caller's memory is read", "[async]", server, client) {
    TestType    pair;
    byte_vector place(5);
    begun       read(pair.ws->read_into(place));
    pair.says("82 05 0102030405");
    CHECK(bytes(read.result()->data) == bytes("0102030405"));
}

TEMPLATE_TEST_CASE("pieces are delivered as they come", "[async][6455:5.4]", server, client) {
    TestType pair;
    begun    first(pair.ws->read_piece());
    pair.says("01 04 61626364");
    CHECK(told(first.result()) == "text(first) abcd");
    begun second(pair.ws->read_piece());
    pair.says("89 00 00 01 65");
    CHECK(told(second.result()) == "text(middle) e");
    begun third(pair.ws->read_piece());
    pair.says("80 00");
    CHECK(told(third.result()) == "text(last) ");
    begun whole(pair.ws->read_piece());
    pair.says("82 01 78");
    CHECK(told(whole.result()) == "binary x");
    CHECK(pair.hears() == bytes("8a 00"));
}

TEST_CASE("what an extension unpacks is read in pieces, too", "[async][server]") {
    toy::extension packing({.window = 5});
    server         pair({}, default_limits, packing.agreed());
    begun          first(pair.ws->read_piece());
    pair.says(frame(0xc1, packing.on_wire("unpacked")));
    CHECK(told(first.result()) == "text(first) unpac");
    CHECK(told(pair.loop.wait_for(pair.ws->read_piece())) == "text(last) ked");
}

TEMPLATE_TEST_CASE("a message is gone on with by the kind of read that began it", "[async]", server, client) {
    TestType    pair;
    byte_vector place(9);
    SECTION("pieces") {
        begun first(pair.ws->read_piece());
        pair.says("01 01 61");
        CHECK(told(first.result()) == "text(first) a");
        CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::misuse);
        CHECK(pair.loop.wait_for(pair.ws->read_into(place)).error() == errc::misuse);
        begun last(pair.ws->read_piece());
        pair.says("80 01 62");
        CHECK(told(last.result()) == "text(last) b");
    }
    SECTION("a whole message") {
        begun first(pair.ws->read());
        pair.says("01 01 61");
        pair.cancel_read();
        pair.loop.run();
        CHECK(first.result().error() == canceled);
        CHECK(pair.loop.wait_for(pair.ws->read_piece()).error() == errc::misuse);
        CHECK(pair.loop.wait_for(pair.ws->read_into(place)).error() == errc::misuse);
        begun last(pair.ws->read());
        pair.says("80 01 62");
        CHECK(told(last.result()) == "text ab");
    }
    SECTION("the caller's memory") {
        begun first(pair.ws->read_into(place));
        pair.says("01 01 61");
        pair.cancel_read();
        pair.loop.run();
        CHECK(first.result().error() == canceled);
        CHECK(pair.loop.wait_for(pair.ws->read_piece()).error() == errc::misuse);
        CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::misuse);
        CHECK(pair.loop.wait_for(pair.ws->read_into({})).error() == errc::misuse);   // the part would not fit
        begun last(pair.ws->read_into(place));
        pair.says("80 01 62");
        CHECK(told(last.result()) == "text ab");
    }
}

TEMPLATE_TEST_CASE("a second read at once is misuse, and the first goes on", "[async]", server, client) {
    TestType pair;
    begun    first(pair.ws->read());
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::misuse);
    CHECK(pair.loop.wait_for(pair.ws->read_piece()).error() == errc::misuse);
    byte_vector place(9);
    CHECK(pair.loop.wait_for(pair.ws->read_into(place)).error() == errc::misuse);
    pair.says("81 01 61");
    CHECK(told(first.result()) == "text a");
}

// Every way to end a read early, before every byte of the wire.
TEMPLATE_TEST_CASE("a read that is cancelled or destroyed before any byte loses none", "[async]", server, client) {
    const auto wire = from_peer<typename TestType::protocol>(bytes("89 02 7071 01 03 616263 8a 00 80 02 6465 82 01 66"));
    for (const bool destroys : {false, true}) {
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            TestType                                         pair;
            std::string                                      log;
            std::optional<begun<io_result<message>>>         read(pair.ws->read());
            const auto                                       again = [&] {
                while (read->is_done()) {
                    const auto got = read->result();
                    if (got || got.error() != canceled) log += told(got) + "|";
                    read.emplace(pair.ws->read());
                    pair.loop.run();
                }
            };
            pair.peer.say(const_byte_span(wire).first(cut));
            again();
            if (destroys) read->destroy();
            else pair.cancel_read();
            pair.loop.run();
            if (destroys) read.emplace(pair.ws->read());
            pair.loop.run();
            again();
            pair.peer.say(const_byte_span(wire).subspan(cut));
            again();
            CAPTURE(cut, destroys);
            CHECK(log == "text abcde|binary f|");
            CHECK(pair.hears() == bytes("8a 02 7071"));
            CHECK_FALSE(pair.peer.plan->misused);
        }
    }
}

TEST_CASE("a large message survives a cancelled read in its middle", "[async][server]") {
    server            pair;
    const byte_vector payload(200'000, std::byte{'x'});
    const auto        wire = masked(frame(0x82, payload));
    begun             first(pair.ws->read());
    pair.peer.say(const_byte_span(wire).first(100'000));
    pair.cancel_read();
    pair.loop.run();
    CHECK(first.result().error() == canceled);
    begun destroyed(pair.ws->read());
    pair.loop.run();
    destroyed.destroy();
    begun last(pair.ws->read());
    pair.peer.say(const_byte_span(wire).subspan(100'000));
    REQUIRE(last.is_done());
    const auto got = last.result();
    REQUIRE(got);
    CHECK(bytes(got->data) == payload);
}

TEMPLATE_TEST_CASE("a read that is cancelled while its pong is half written leaves the pong whole", "[async][S36]", server, client) {
    TestType pair;
    pair.peer.take_at_most(3);
    begun read(pair.ws->read());
    pair.says("89 04 70696e67");
    pair.cancel_read();
    pair.loop.run();
    CHECK(read.result().error() == canceled);
    begun first(pair.ws->send("AB")), second(pair.ws->send("CD"));
    pair.loop.run();
    CHECK_FALSE(second.is_done());
    CHECK(pair.hears() == bytes("8a 04 70696e67 81 02 4142 81 02 4344"));
    CHECK_FALSE(first.result());
    CHECK_FALSE(second.result());
}

TEMPLATE_TEST_CASE("a close reads to the peer's Close, and drops what comes before it", "[async][6455:7.1.2]", server, client) {
    TestType pair;
    begun    closed(pair.ws->close(close_code::going_away, "bye"));
    CHECK(pair.hears() == bytes("88 05 03E9 627965"));
    pair.says("81 01 61 01 01 62 89 00 80 01 63");
    CHECK(pair.hears() == bytes("8a 00"));   // pings are answered as long as the peer has not closed
    CHECK_FALSE(closed.is_done());
    pair.says("88 06 03E8 6f6b6179");
    CHECK_FALSE(closed.is_done());           // nor is the transport at its end
    pair.peer.end();
    CHECK(closed.result() == std::error_code{});
    CHECK(pair.ws->closed_by().code == close_code::normal);
    CHECK(pair.ws->closed_by().reason == "okay");
    CHECK(pair.loop.running() == 0);
}

TEMPLATE_TEST_CASE("a close beside a pending read leaves it what still comes", "[async]", server, client) {
    TestType pair;
    begun    read(pair.ws->read());
    begun    closed(pair.ws->close());
    pair.says("81 01 61");
    CHECK(told(read.result()) == "text a");
    pair.says("81 01 62");   // dropped: by now the close reads
    begun last(pair.ws->read());
    begun other(pair.ws->close());
    pair.says("81 01 63 88 02 03E8");
    pair.peer.end();
    CHECK(last.result().error() == errc::closed);
    CHECK_FALSE(closed.result());
    CHECK_FALSE(other.result());
}

TEMPLATE_TEST_CASE("a cancelled close has sent its Close, and the next read goes on with it", "[async]", server, client) {
    for (const bool destroys : {false, true}) {
        TestType pair;
        begun    closed(pair.ws->close());
        pair.says("01 01 61");
        if (destroys) closed.destroy();
        else pair.cancel_read();
        pair.loop.run();
        if (!destroys) CHECK(closed.result() == canceled);
        begun read(pair.ws->read());
        pair.says("80 01 62 88 02 03E8");   // half of it was dropped, so all of it is
        pair.peer.end();
        CHECK(read.result().error() == errc::closed);
        CHECK(pair.hears() == bytes("88 02 03E8"));
    }
}
