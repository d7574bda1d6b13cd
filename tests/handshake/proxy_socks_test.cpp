#include <navette/handshake/proxy.hpp>

#include "support/bytes.hpp"
#include "support/proxy.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

using namespace navette;

namespace {

using status = proxy_status;
using wire   = std::vector<std::byte>;

constexpr authority server{.host = "example.com", .port = 443};
constexpr credentials mufasa{"Mufasa", "Circle"};

const wire greeting = bytes("05 01 00"), greeting_with_login = bytes("05 02 00 02");
const wire connect = bytes("05 01 00 03 0b 6578616d706c652e636f6d 01bb");
const wire login   = bytes("01 06 4d7566617361 06 436972636c65");
const wire good    = bytes("05 00 00 01 00000000 0000");

// A client whose proxy says all this, `piece` bytes at a time, and then ends the connection if `ends`.
struct played {
    buffer out;
    socks5_connect machine;
    status last = status::need_more;
    wire left;

    explicit played(wire replies, const credentials& with = {}, std::size_t piece = 1000, bool ends = false,
                    const authority& to = server)
        : machine(to, with) {
        REQUIRE(machine.request(out) == errc{});
        byte_span all{replies};
        while (last == status::need_more && !all.empty()) {
            byte_span in          = all.first(std::min(piece, all.size()));
            const std::size_t had = in.size();
            last                  = machine.receive(in, out);
            all                   = all.subspan(had - in.size());
        }
        left = bytes(const_byte_span(all));
        if (ends) last = machine.receive_eof();
        CHECK(machine.status() == last);
        CHECK((last == status::refused) == (machine.error() != errc{}));
    }
    wire sent() const { return bytes(out.data()); }
    errc error() const { return machine.error(); }
};

} // namespace

TEST_CASE("a SOCKS5 proxy that lets anybody in opens the tunnel", "[proxy][1928:3][1928:4][client]") {
    for (const std::size_t piece : {1u, 2u, 3u, 1000u}) {
        const played p(concat(bytes("05 00"), good), {}, piece);
        CHECK(p.last == status::tunnel);
        CHECK(p.sent() == concat(greeting, connect));
        const played offered(concat(bytes("05 00"), good), mufasa, piece);
        CHECK(offered.last == status::tunnel);
        CHECK(offered.sent() == concat(greeting_with_login, connect));
    }
}

TEST_CASE("a SOCKS5 proxy is told the user and the password if it asks", "[proxy][1929:2][client]") {
    for (const std::size_t piece : {1u, 2u, 3u, 1000u}) {
        const played p(concat(bytes("05 02 01 00"), good), mufasa, piece);
        CHECK(p.last == status::tunnel);
        CHECK(p.sent() == concat(greeting_with_login, login, connect));
    }
    CHECK(played(bytes("05 02"), mufasa).sent() ==
          concat(greeting_with_login, login)); // and waits for what comes of it
    for (const char* refused : {"05 02 01 01", "05 02 01 ff"}) {
        const played p(bytes(refused), mufasa);
        CHECK(p.error() == errc::credentials_refused);
        CHECK(p.sent() == concat(greeting_with_login, login));
    }
}

TEST_CASE("every split of the replies opens the same tunnel", "[proxy][1928:6][C81][client]") {
    for (const char* address : {"01 7f000001", "03 00", "03 03 616263", "04 00000000000000000000000000000001"}) {
        const wire replies = concat(bytes("05 02 01 00 05 00 00"), bytes(address), bytes("1234"));
        for (std::size_t cut = 0; cut <= replies.size(); ++cut) {
            buffer out;
            socks5_connect machine(server, mufasa);
            REQUIRE(machine.request(out) == errc{});
            wire copy       = replies;
            byte_span first = byte_span(copy).first(cut), second = byte_span(copy).subspan(cut);
            const status early = machine.receive(first, out);
            CHECK(early == (cut == replies.size() ? status::tunnel : status::need_more));
            CHECK(first.empty());
            CHECK(machine.receive(second, out) == status::tunnel);
            CHECK(bytes(out.data()) == concat(greeting_with_login, login, connect));
            CHECK(machine.receive_eof() == status::tunnel);
        }
    }
    const wire longest = concat(bytes("05 00 05 00 00 03 ff"), wire(255, std::byte{'x'}), bytes("0000"));
    CHECK(played(longest, {}, 7).last == status::tunnel);
    CHECK(played(wire(longest.begin(), longest.end() - 1), {}, 7).last == status::need_more);
}

TEST_CASE("names go to the proxy as names, addresses as addresses", "[proxy][1928:5][client]") {
    struct row {
        authority target;
        const char* hex;
    };
    const std::string longest(255, 'a');
    for (const row& r :
         {row{{.host = "127.0.0.1", .port = 80}, "05 01 00 01 7f000001 0050"},
          row{{.host = "::1", .ipv6 = true, .port = 9001}, "05 01 00 04 00000000000000000000000000000001 2329"},
          row{{.host = "127.1", .port = 65535}, "05 01 00 03 05 3132372e31 ffff"},
          row{tunnel_target(*parse_uri("wss://a/x")), "05 01 00 03 01 61 01bb"}})
        CHECK(played(bytes("05 00"), {}, 1, false, r.target).sent() == concat(greeting, bytes(r.hex)));
    CHECK(played(bytes("05 00"), {}, 1, false, {.host = longest, .port = 1}).sent() ==
          concat(greeting, bytes("05 01 00 03 ff"), text_bytes(longest), bytes("0001")));
}

TEST_CASE("each refusal of a SOCKS5 proxy has its error, as soon as it is seen", "[proxy][1928:6][client]") {
    const errc errors[] = {errc::socks_failure,
                           errc::socks_not_allowed,
                           errc::socks_network_unreachable,
                           errc::socks_host_unreachable,
                           errc::socks_connection_refused,
                           errc::socks_ttl_expired,
                           errc::socks_command_not_supported,
                           errc::socks_address_type_not_supported};
    for (unsigned code = 1; code < 256; ++code) {
        const errc expected = code <= std::size(errors) ? errors[code - 1] : errc::bad_socks_reply;
        const wire reply    = {std::byte{5}, std::byte{0}, std::byte{5}, static_cast<std::byte>(code)};
        CHECK(played(reply).error() == expected);
        CHECK(played(concat(reply, bytes("00 01 00000000 0000")), {}, 1).error() == expected);
    }
}

TEST_CASE("a method that was not offered is no answer", "[proxy][1928:3][client]") {
    for (unsigned method = 0; method < 256; ++method) {
        const wire reply = {std::byte{5}, static_cast<std::byte>(method)};
        CAPTURE(method);
        CHECK(played(reply).error() == (method == 0     ? errc{}
                                        : method == 255 ? errc::socks_method_refused
                                                        : errc::bad_socks_reply));
        CHECK(played(reply, mufasa).error() == (method == 0 || method == 2 ? errc{}
                                                : method == 255            ? errc::socks_method_refused
                                                                           : errc::bad_socks_reply));
    }
}

TEST_CASE("a reply with another version, kind of address or reserved byte is malformed",
          "[proxy][1928:6][1929:2][S56][client]") {
    for (unsigned value = 0; value < 256; ++value) {
        const std::byte b = static_cast<std::byte>(value);
        CAPTURE(value);
        const auto expect = [&](bool is_good) { return is_good ? errc{} : errc::bad_socks_reply; };
        CHECK(played({b}).error() == expect(value == 5));
        CHECK(played({std::byte{5}, std::byte{2}, b}, mufasa).error() == expect(value == 1));
        CHECK(played(concat(bytes("05 00"), wire{b})).error() == expect(value == 5));
        CHECK(played(concat(bytes("05 00 05 00"), wire{b})).error() == expect(value == 0));
        CHECK(played(concat(bytes("05 00 05 00 00"), wire{b})).error() ==
              expect(value == 1 || value == 3 || value == 4));
    }
    for (const char* other : {"HTTP/1.1 400 Bad Request\r\n", "\x15\x03\x01", "SSH-2.0"})
        CHECK(played(text_bytes(other)).error() == errc::bad_socks_reply);
    CHECK(played(bytes("00 5a 0000 00000000")).error() == errc::bad_socks_reply); // SOCKS4
}

TEST_CASE("bytes behind the last reply are an error, and nothing is parsed after one",
          "[proxy][1928:6][S49][S55][client]") {
    for (const std::size_t piece : {5u, 1000u}) {
        const played p(concat(bytes("05 00"), good, bytes("78 79")), {}, piece);
        CHECK(p.error() == errc::early_tunnel_data);
    }
    buffer out;
    socks5_connect machine(server);
    REQUIRE(machine.request(out) == errc{});
    wire replies = concat(bytes("04"), bytes("05 00"), good);
    byte_span in{replies};
    CHECK(machine.receive(in, out) == status::refused);
    CHECK(in.empty());
    CHECK(bytes(out.data()) == greeting);
    wire more = bytes("05 00");
    in        = more;
    CHECK(machine.receive(in, out) == status::refused);
    CHECK(machine.receive_eof() == status::refused);
    CHECK(machine.error() == errc::bad_socks_reply);
}

TEST_CASE("a SOCKS5 proxy that ends the connection at any byte is told from one that refuses",
          "[proxy][C161][S30][client]") {
    const wire replies = concat(bytes("05 02 01 00"), good);
    for (std::size_t size = 0; size < replies.size(); ++size)
        CHECK(played(wire(replies.begin(), replies.begin() + static_cast<std::ptrdiff_t>(size)), mufasa, 1, true)
                  .error() == errc::proxy_truncated);
    CHECK(played(replies, mufasa, 1, true).last == status::tunnel);
}

TEST_CASE("users and passwords of SOCKS5 have 1 to 255 bytes", "[proxy][1929:2][client]") {
    const std::string longest(255, 'p'), longer(256, 'p');
    const auto try_login = [](const credentials& with) {
        buffer out;
        socks5_connect machine(server, with);
        const errc e = machine.request(out);
        CHECK(out.empty() == (e != errc{}));
        return e;
    };
    CHECK(try_login({"u", "p"}) == errc{});
    CHECK(try_login({longest, longest}) == errc{});
    for (const credentials& bad :
         {credentials{"", "p"}, credentials{"u", ""}, credentials{longer, "p"}, credentials{"u", longer}})
        CHECK(try_login(bad) == errc::invalid_credentials);
    CHECK(played(bytes("05 02"), {longest, longest}).sent() ==
          concat(greeting_with_login, bytes("01 ff"), text_bytes(longest), bytes("ff"), text_bytes(longest)));
}

TEST_CASE("a target that SOCKS5 cannot carry is refused before a byte is sent", "[proxy][1928:5][C4][client]") {
    const auto try_target = [](const authority& target) {
        buffer out;
        socks5_connect machine(target);
        const errc e = machine.request(out);
        CHECK(out.empty() == (e != errc{}));
        return e;
    };
    const std::string longer(256, 'a');
    CHECK(try_target({.host = longer, .port = 1}) == errc::invalid_host);
    CHECK(try_target({.host = "", .port = 1}) == errc::invalid_host);
    CHECK(try_target({.host = "a b", .port = 1}) == errc::invalid_host);
    CHECK(try_target({.host = "1.2.3.4", .ipv6 = true, .port = 1}) == errc::invalid_host);
    CHECK(try_target({.host = "a", .port = 0}) == errc::invalid_port);
}

TEST_CASE("calls to a SOCKS5 machine out of turn are misuse", "[proxy][client]") {
    buffer out;
    socks5_connect machine(server);
    wire replies = bytes("05 00");
    byte_span in{replies};
    CHECK(machine.receive(in, out) == status::refused);
    CHECK(machine.error() == errc::misuse);
    CHECK(machine.request(out) == errc::misuse);

    socks5_connect twice(server);
    CHECK(twice.request(out) == errc{});
    CHECK(twice.request(out) == errc::misuse);
}

TEST_CASE("without room a SOCKS5 message is not sent in part", "[proxy][C164][client]") {
    std::array<std::byte, 64> storage;
    for (std::size_t room = 0; room <= greeting.size() + connect.size(); ++room) {
        buffer out(byte_span(storage).first(room));
        socks5_connect machine(server);
        const errc e = machine.request(out);
        CHECK(e == (room < greeting.size() ? errc::out_of_memory : errc{}));
        if (e != errc{}) continue;
        wire replies = bytes("05 00");
        byte_span in{replies};
        const bool fits = room == greeting.size() + connect.size();
        CHECK(machine.receive(in, out) == (fits ? status::need_more : status::refused));
        CHECK(machine.error() == (fits ? errc{} : errc::out_of_memory));
        CHECK(bytes(out.data()) == (fits ? concat(greeting, connect) : greeting));
    }
}
