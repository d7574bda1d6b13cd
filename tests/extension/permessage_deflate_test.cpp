#include <navette/extension/permessage_deflate.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace navette;

namespace {

struct negotiation {
    deflate_agreement agreed{};
    std::string       answer;
    errc              error{};

    negotiation(const deflate_options& options, role r, std::string_view element) {
        extension_offer offer;
        REQUIRE(extension_reader(element).next(offer));
        buffer out;
        error  = negotiate_deflate(options, r, offer, agreed, out);
        answer = std::string(as_text(out.data()));
    }
};

// What a server answers to an offer; "declined" if it does not take it.
std::string answer_of(std::string_view offer, const deflate_options& options = {}) {
    const negotiation n(options, role::server, "permessage-deflate" + std::string(offer));
    CHECK((n.error == errc{} || n.error == errc::extension_refused));
    return n.error == errc{} ? n.answer : "declined";
}

std::string offers_of(const deflate_options& options) {
    buffer out;
    CHECK(append_deflate_offers(options, out) == errc{});
    return std::string(as_text(out.data()));
}

// What was agreed, from this side: "send 15, receive 10 alone" - alone: without context takeover.
std::string said(const deflate_agreement& a) {
    return "send " + std::to_string(a.send_window_bits) + (a.send_no_context_takeover ? " alone" : "") + ", receive " +
           std::to_string(a.receive_window_bits) + (a.receive_no_context_takeover ? " alone" : "");
}
std::string server_agrees(std::string_view offer, const deflate_options& options = {}) {
    const negotiation n(options, role::server, "permessage-deflate" + std::string(offer));
    return n.error == errc{} ? said(n.agreed) : "declined";
}
std::string client_agrees(std::string_view answer, const deflate_options& options = {}) {
    const negotiation n(options, role::client, "permessage-deflate" + std::string(answer));
    CHECK(n.answer == "");
    CHECK((n.error == errc{} || n.error == errc::extension_refused));
    return n.error == errc{} ? said(n.agreed) : "failed";
}

} // namespace

static_assert(std::is_trivially_copyable_v<deflate_agreement>);

TEST_CASE("permessage-deflate by default wants the widest windows and their contexts", "[permessage_deflate]") {
    const deflate_options o;
    CHECK(o.send_window_bits == 15);
    CHECK(o.receive_window_bits == 15);
    CHECK_FALSE(o.send_no_context_takeover);
    CHECK_FALSE(o.receive_no_context_takeover);
    CHECK_FALSE(o.fall_back);
    CHECK(o.level == 6);
    CHECK(o.memory_level == 8);
    CHECK(o.threshold == 64);
    CHECK(o.allocation == allocate::lazily);
    CHECK_FALSE(o.release_when_idle);
    CHECK(o.window.empty());
    CHECK(o.window_size == 16 * 1024);
    CHECK(o.max_memory == static_cast<std::size_t>(-1));
    CHECK(check_deflate_options(o) == errc{});
}

TEST_CASE("options out of their ranges agree to nothing", "[permessage_deflate][C132]") {
    const auto refused = [](const deflate_options& o) {
        buffer out;
        return check_deflate_options(o) == errc::misuse && append_deflate_offers(o, out) == errc::misuse &&
               out.empty() && negotiation(o, role::server, "permessage-deflate").error == errc::misuse &&
               negotiation(o, role::client, "permessage-deflate").error == errc::misuse;
    };
    for (unsigned n = 0; n < 256; ++n) {
        CAPTURE(n);
        const auto bits = static_cast<std::uint8_t>(n);
        CHECK(refused({.send_window_bits = bits}) == (n < 8 || n > 15));
        CHECK(refused({.receive_window_bits = bits}) == (n < 8 || n > 15));
        CHECK(refused({.level = bits}) == (n > 9));
        CHECK(refused({.memory_level = bits}) == (n < 1 || n > 9));
    }
    CHECK(refused({.window_size = 0}));
    std::array<std::byte, 1> window{};
    CHECK_FALSE(refused({.window = window, .window_size = 0}));
    CHECK(refused({.allocator = {.take = [](void*, std::size_t) noexcept -> void* { return nullptr; }}}));
    CHECK(refused({.allocator = {.give = [](void*, void*, std::size_t) noexcept {}}}));
}

TEST_CASE("what was agreed survives the way from the handshake to the protocol", "[permessage_deflate]") {
    for (std::uint8_t send = 8; send <= 15; ++send)
        for (std::uint8_t receive = 8; receive <= 15; ++receive)
            for (const bool a : {false, true})
                for (const bool b : {false, true}) {
                    const deflate_agreement made{send, receive, a, b};
                    CHECK(to_deflate_agreement(to_parameters(made)) == made);
                }
}

TEST_CASE("what was agreed can be read, and read as nothing", "[permessage_deflate]") {
    CHECK_FALSE(agreed_deflate({}));
    extension_factory deflate{}, other{};
    deflate.name = "permessage-deflate";
    other.name   = "x-deflate";
    const auto parameters = to_parameters({.send_window_bits = 9, .receive_window_bits = 10});
    CHECK(said(agreed_deflate({.extension = &deflate, .parameters = parameters})) == "send 9, receive 10");
    CHECK(agreed_deflate({.extension = &deflate, .parameters = parameters}));
    CHECK_FALSE(agreed_deflate({.extension = &other, .parameters = parameters}));
}

TEST_CASE("a server takes the bare offer and answers with the bare name", "[permessage_deflate][7692:7.1][server]") {
    CHECK(answer_of("") == "permessage-deflate");
    CHECK(server_agrees("") == "send 15, receive 15");
}

TEST_CASE("a server declines an offer with a parameter that is unknown, repeated or illegal",
          "[permessage_deflate][7692:5.1][7692:7.1][C129][C131][C132][S48][server]") {
    for (const char* bad :
         {"; unknown", "; unknown=1", "; Server_no_context_takeover", "; SERVER_MAX_WINDOW_BITS=10",
          "; server_no_context_takeover; server_no_context_takeover",
          "; client_no_context_takeover; client_no_context_takeover",
          "; server_max_window_bits=10; server_max_window_bits=10",
          "; client_max_window_bits; client_max_window_bits", "; client_max_window_bits; client_max_window_bits=10",
          "; client_max_window_bits=10; client_max_window_bits", "; server_no_context_takeover=1",
          "; server_no_context_takeover=true", "; client_no_context_takeover=0", "; client_no_context_takeover=\"a\"",
          "; server_max_window_bits", "; max_window_bits=10", "; window_bits=10",
          "; client_max_window_bits; server_no_context_takeover; what=else"}) {
        CAPTURE(bad);
        CHECK(answer_of(bad) == "declined");
    }
}

TEST_CASE("window bits are 8 to 15 in decimal digits, and nothing else is a number",
          "[permessage_deflate][7692:7.1.2][C129][C132][S48]") {
    for (const char* name : {"server_max_window_bits", "client_max_window_bits"}) {
        const std::string prefix = std::string("; ") + name + "=";
        for (const char* good : {"8", "9", "10", "11", "12", "13", "14", "15"}) {
            CAPTURE(name, good);
            const std::string quoted = prefix + "\"" + good + "\"";
            CHECK(server_agrees(prefix + good) != "declined");
            CHECK(server_agrees(quoted) == server_agrees(prefix + good));
            CHECK(client_agrees(prefix + good) != "failed");
            CHECK(client_agrees(quoted) == client_agrees(prefix + good));
        }
        CHECK(server_agrees(prefix + "\"1\\0\"") == server_agrees(prefix + "10"));
        for (const char* bad : {"7", "16", "0", "00", "1", "08", "008", "010", "+8", "-8", "8.", "8.0", "1e1", "0x8",
                                "99999999999", "4294967304", "18446744073709551624", "a", "8a", "a8", "\"08\"", "\"16\"",
                                "\"+9\"", "true"}) {
            CAPTURE(name, bad);
            CHECK(server_agrees(prefix + bad) == "declined");
            CHECK(client_agrees(prefix + bad) == "failed");
        }
    }
}

TEST_CASE("a server answers server_max_window_bits with the offered value or its own smaller one",
          "[permessage_deflate][7692:7.1.2.1][C134][server]") {
    for (std::uint8_t own = 8; own <= 15; ++own) {
        const deflate_options options{.send_window_bits = own};
        for (unsigned offered = 8; offered <= 15; ++offered) {
            CAPTURE(own, offered);
            const std::string bits  = std::to_string(std::min<unsigned>(own, offered));
            const std::string offer = "; server_max_window_bits=" + std::to_string(offered);
            CHECK(answer_of(offer, options) == "permessage-deflate; server_max_window_bits=" + bits);
            CHECK(server_agrees(offer, options) == "send " + bits + ", receive 15");
        }
    }
}

TEST_CASE("a server says that its own window is smaller though nobody asked",
          "[permessage_deflate][7692:7.1.2.1][C133][server]") {
    CHECK(answer_of("", {.send_window_bits = 9}) == "permessage-deflate; server_max_window_bits=9");
    CHECK(server_agrees("", {.send_window_bits = 9}) == "send 9, receive 15");
}

TEST_CASE("a server limits the client's window only if the client lets it",
          "[permessage_deflate][7692:7.1.2.2][C135][server]") {
    CHECK(answer_of("; client_max_window_bits") == "permessage-deflate");
    CHECK(answer_of("; client_max_window_bits", {.receive_window_bits = 10}) ==
          "permessage-deflate; client_max_window_bits=10");
    CHECK(answer_of("; client_max_window_bits=9", {.receive_window_bits = 10}) ==
          "permessage-deflate; client_max_window_bits=9");
    CHECK(answer_of("; client_max_window_bits=11", {.receive_window_bits = 10}) ==
          "permessage-deflate; client_max_window_bits=10");
    CHECK(server_agrees("; client_max_window_bits=11", {.receive_window_bits = 10}) == "send 15, receive 10");
    CHECK(server_agrees("; client_max_window_bits=8") == "send 15, receive 8");

    CHECK(answer_of("", {.receive_window_bits = 10}) == "declined");
    CHECK(answer_of("", {.receive_window_bits = 10, .fall_back = true}) == "permessage-deflate");
    CHECK(server_agrees("", {.receive_window_bits = 10, .fall_back = true}) == "send 15, receive 15");
    CHECK(server_agrees("; client_max_window_bits", {.receive_window_bits = 10, .fall_back = true}) ==
          "send 15, receive 10");
}

TEST_CASE("a server grants no context takeover, and may impose it unasked",
          "[permessage_deflate][7692:7.1.1][C137][C138][server]") {
    CHECK(answer_of("; server_no_context_takeover") == "permessage-deflate; server_no_context_takeover");
    CHECK(server_agrees("; server_no_context_takeover") == "send 15 alone, receive 15");
    CHECK(answer_of("; client_no_context_takeover") == "permessage-deflate; client_no_context_takeover");
    CHECK(server_agrees("; client_no_context_takeover") == "send 15, receive 15 alone");
    CHECK(answer_of("", {.send_no_context_takeover = true}) == "permessage-deflate; server_no_context_takeover");
    CHECK(answer_of("", {.receive_no_context_takeover = true}) == "permessage-deflate; client_no_context_takeover");
    CHECK(server_agrees("", {.send_no_context_takeover = true, .receive_no_context_takeover = true}) ==
          "send 15 alone, receive 15 alone");
}

TEST_CASE("a server answers all four parameters at once", "[permessage_deflate][7692:7.1][server]") {
    CHECK(answer_of("; client_max_window_bits=12; server_max_window_bits=\"11\"; client_no_context_takeover; "
                    "server_no_context_takeover",
                    {.send_window_bits = 10, .receive_window_bits = 9}) ==
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; "
          "client_max_window_bits=9");
}

TEST_CASE("an answer that finds no room is an error", "[permessage_deflate][C164][server]") {
    const std::string whole = answer_of("; server_max_window_bits=10");
    extension_offer   offer;
    REQUIRE(extension_reader("permessage-deflate; server_max_window_bits=10").next(offer));
    for (std::size_t room = 0; room <= whole.size(); ++room) {
        CAPTURE(room);
        std::vector<std::byte> storage(room);
        buffer                 out{byte_span(storage)};
        deflate_agreement      agreed;
        const errc             e = negotiate_deflate({}, role::server, offer, agreed, out);
        CHECK(e == (room == whole.size() ? errc{} : errc::out_of_memory));
    }
}

TEST_CASE("a client offers what it wants, and always lets the server limit its window",
          "[permessage_deflate][7692:7.1][C135][client]") {
    CHECK(offers_of({}) == "permessage-deflate; client_max_window_bits");
    CHECK(offers_of({.send_window_bits = 10}) == "permessage-deflate; client_max_window_bits=10");
    CHECK(offers_of({.receive_window_bits = 8}) ==
          "permessage-deflate; server_max_window_bits=8; client_max_window_bits");
    CHECK(offers_of({.send_no_context_takeover = true}) ==
          "permessage-deflate; client_no_context_takeover; client_max_window_bits");
    CHECK(offers_of({.receive_no_context_takeover = true}) ==
          "permessage-deflate; server_no_context_takeover; client_max_window_bits");
}

TEST_CASE("a client that falls back offers a second time without what the server must grant",
          "[permessage_deflate][7692:5.2][C130][client]") {
    CHECK(offers_of({.fall_back = true}) == "permessage-deflate; client_max_window_bits");
    CHECK(offers_of({.send_window_bits            = 9,
                     .receive_window_bits         = 10,
                     .send_no_context_takeover    = true,
                     .receive_no_context_takeover = true,
                     .fall_back                   = true}) ==
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; "
          "client_max_window_bits=9, "
          "permessage-deflate; client_no_context_takeover; client_max_window_bits=9");
}

TEST_CASE("offers that find no room are an error", "[permessage_deflate][C164][client]") {
    const deflate_options options{.receive_window_bits = 10, .fall_back = true};
    const std::size_t     size = offers_of(options).size();
    for (std::size_t room = 0; room <= size; ++room) {
        CAPTURE(room);
        std::vector<std::byte> storage(room);
        buffer                 out{byte_span(storage)};
        CHECK(append_deflate_offers(options, out) == (room == size ? errc{} : errc::out_of_memory));
    }
}

TEST_CASE("a client takes the bare answer", "[permessage_deflate][7692:7.1][client]") {
    CHECK(client_agrees("") == "send 15, receive 15");
}

TEST_CASE("a client fails the connection on an answer with a parameter that is unknown, repeated or illegal",
          "[permessage_deflate][7692:5.1][7692:7.1][C129][C131][C135][S48][client]") {
    for (const char* bad : {"; unknown", "; server_no_context_takeover; server_no_context_takeover",
                            "; client_max_window_bits=9; client_max_window_bits=9",
                            "; server_max_window_bits=9; server_max_window_bits=9", "; server_no_context_takeover=1",
                            "; client_no_context_takeover=1", "; server_max_window_bits", "; client_max_window_bits",
                            "; Client_max_window_bits=9"}) {
        CAPTURE(bad);
        CHECK(client_agrees(bad) == "failed");
    }
}

TEST_CASE("a client obeys the window that the server sets for it", "[permessage_deflate][7692:7.1.2.2][C136][client]") {
    for (unsigned bits = 8; bits <= 15; ++bits) {
        const std::string answer = "; client_max_window_bits=" + std::to_string(bits);
        CHECK(client_agrees(answer) == "send " + std::to_string(bits) + ", receive 15");
        CHECK(client_agrees(answer, {.send_window_bits = 11}) ==
              "send " + std::to_string(std::min(bits, 11u)) + ", receive 15");
    }
    CHECK(client_agrees("", {.send_window_bits = 11}) == "send 11, receive 15");
}

TEST_CASE("a client that limits the server's window takes only an answer that says so",
          "[permessage_deflate][7692:7.1.2.1][C133][S48][client]") {
    for (unsigned own = 8; own <= 15; ++own)
        for (unsigned answered = 8; answered <= 15; ++answered) {
            CAPTURE(own, answered);
            const deflate_options options{.receive_window_bits = static_cast<std::uint8_t>(own)};
            const std::string     agreed =
                client_agrees("; server_max_window_bits=" + std::to_string(answered), options);
            if (answered > own) CHECK(agreed == "failed");
            else CHECK(agreed == "send 15, receive " + std::to_string(answered));
        }
    CHECK(client_agrees("", {.receive_window_bits = 14}) == "failed");
    CHECK(client_agrees("", {.receive_window_bits = 14, .fall_back = true}) == "send 15, receive 15");
    CHECK(client_agrees("; server_max_window_bits=15", {.receive_window_bits = 14, .fall_back = true}) ==
          "send 15, receive 15");
}

TEST_CASE("a client that wants no context takeover of the server takes only an answer that says so",
          "[permessage_deflate][7692:7.1.1.1][C137][client]") {
    const deflate_options options{.receive_no_context_takeover = true};
    CHECK(client_agrees("; server_no_context_takeover", options) == "send 15, receive 15 alone");
    CHECK(client_agrees("", options) == "failed");
    CHECK(client_agrees("", {.receive_no_context_takeover = true, .fall_back = true}) == "send 15, receive 15");
}

TEST_CASE("a client obeys what the server imposes unasked", "[permessage_deflate][7692:7.1.1][C133][C138][client]") {
    CHECK(client_agrees("; server_no_context_takeover") == "send 15, receive 15 alone");
    CHECK(client_agrees("; client_no_context_takeover") == "send 15 alone, receive 15");
    CHECK(client_agrees("; server_max_window_bits=9") == "send 15, receive 9");
    CHECK(client_agrees("; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; "
                        "client_max_window_bits=9") == "send 9 alone, receive 10 alone");
}

TEST_CASE("a client that said it keeps no context keeps none, whatever the answer says",
          "[permessage_deflate][7692:7.1.1.2][C137][client]") {
    CHECK(client_agrees("", {.send_no_context_takeover = true}) == "send 15 alone, receive 15");
}

TEST_CASE("whatever one side offers and the other accepts, both have agreed to the same",
          "[permessage_deflate][7692:7.1][C133][C134][C135][C136]") {
    std::vector<deflate_options> wishes;
    for (const std::uint8_t send : {std::uint8_t{8}, std::uint8_t{11}, std::uint8_t{15}})
        for (const std::uint8_t receive : {std::uint8_t{8}, std::uint8_t{11}, std::uint8_t{15}})
            for (unsigned flags = 0; flags < 8; ++flags)
                wishes.push_back({.send_window_bits            = send,
                                  .receive_window_bits         = receive,
                                  .send_no_context_takeover    = (flags & 1) != 0,
                                  .receive_no_context_takeover = (flags & 2) != 0,
                                  .fall_back                   = (flags & 4) != 0});
    for (const deflate_options& client : wishes)
        for (const deflate_options& server : wishes) {
            const std::string offers = offers_of(client);
            extension_reader  reader(offers);
            extension_offer   offer;
            REQUIRE(reader.next(offer));
            // A client always lets its window be limited, so the first offer is taken.
            const negotiation served(server, role::server, offer.text());
            REQUIRE(served.error == errc{});
            const negotiation asked(client, role::client, served.answer);
            REQUIRE(asked.error == errc{});
            CHECK(asked.agreed.send_no_context_takeover == served.agreed.receive_no_context_takeover);
            CHECK(asked.agreed.receive_no_context_takeover == served.agreed.send_no_context_takeover);
            CHECK(asked.agreed.receive_window_bits == served.agreed.send_window_bits);
            CHECK(asked.agreed.send_window_bits == served.agreed.receive_window_bits);
            CHECK(asked.agreed.receive_window_bits <= client.receive_window_bits);
            CHECK(served.agreed.receive_window_bits <= server.receive_window_bits);
        }
}
