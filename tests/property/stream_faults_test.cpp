// A whole connection of each role over a stream: split at every byte, cut at every byte, one byte at a time, and with
// every single call failing. Nothing may hang, leak, be used after it failed, or pass for a clean end.
#include <navette/stream/opening_handshake.hpp>

#include "support/bytes.hpp"
#include "support/failing_stream.hpp"
#include "support/handshake_peer.hpp"
#include "support/long_run.hpp"
#include "support/scripted_stream.hpp"

#include <string>
#include <vector>

using namespace navette;

namespace {

bool zeros(void*, byte_span out) noexcept {
    std::fill(out.begin(), out.end(), std::byte{0});
    return true;
}

std::vector<std::byte> frame(role from, unsigned first_byte, std::string_view payload) {
    std::vector<std::byte> made{static_cast<std::byte>(first_byte)};
    const unsigned mask = from == role::client ? 0x80 : 0;
    if (payload.size() < 126) {
        made.push_back(static_cast<std::byte>(payload.size() | mask));
    } else {
        made.insert(made.end(), {static_cast<std::byte>(126u | mask), static_cast<std::byte>(payload.size() >> 8),
                                 static_cast<std::byte>(payload.size() & 0xff)});
    }
    if (mask != 0) made.insert(made.end(), 4, std::byte{0});
    return concat(made, text_bytes(payload));
}

// All that the peer of a connection in role `r` sends; a client's key is that of 16 zero bytes.
std::vector<std::byte> peer_bytes(role r, bool with_large) {
    const role peer = opposite(r);
    const auto head = r == role::server ? upgrade_request() : upgrade_answer("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==");
    auto all = concat(text_bytes(head), frame(peer, 0x81, "h\xc3\xa9llo"), frame(peer, 0x89, "ping"), frame(peer, 0x02, "frag"),
                      frame(peer, 0x89, ""), frame(peer, 0x00, ""), frame(peer, 0x80, "ments"), frame(peer, 0x81, ""),
                      frame(peer, 0x82, std::string(300, 'm')));
    if (with_large)
        all = concat(all, frame(peer, 0x02, std::string(10, 'a')), frame(peer, 0x80, std::string(40'000, 'l')));
    return concat(all, frame(peer, 0x88, "\x03\xe8" "bye"));
}

struct outcome {
    std::error_code          error;
    std::vector<std::string> messages;
    std::vector<std::byte>   written;
    bool                     closed = false;
    close_code               code{};

    bool operator==(const outcome&) const = default;
};

template <class Opened>
void echo(Opened opened, outcome& result) {
    if (!opened) {
        result.error = opened.error();
        return;
    }
    auto& ws = *opened;
    while (!result.error) {
        const auto m = ws.read();
        if (m) result.messages.emplace_back(m->text());
        result.error = m ? ws.send(*m) : m.error();
    }
    result.code = ws.closed_by().code;
    CHECK(ws.read().error() == result.error);   // said for ever
    CHECK(ws.send("x") == result.error);
}

// Plays the exchange, echoing every message, over what `wrap` makes of a scripted stream with these segments.
template <class Wrap>
outcome play(role r, const std::vector<std::vector<std::byte>>& segments, Wrap wrap) {
    auto s = std::make_shared<script>();
    for (const auto& segment : segments)
        if (!segment.empty()) s->say(segment);
    s->end();
    outcome result;
    if (r == role::server)
        echo(accept(wrap(scripted_stream(s)), {.origins = origin_policy::any()}), result);
    else
        echo(connect(wrap(scripted_stream(s)), *parse_uri("ws://example.com/chat"), {}, default_limits, {}, nullptr, {&zeros}),
             result);
    result.written = s->written;
    result.closed  = s->closed;
    return result;
}

const auto as_it_is = [](scripted_stream s) { return s; };

std::vector<std::byte> part(const std::vector<std::byte>& all, std::size_t begin, std::size_t end) {
    return {all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(end)};
}

// Every place in the small frames, and some in the large one; in a long run all.
std::vector<std::size_t> places(std::size_t size) {
    std::vector<std::size_t> all;
    const std::size_t stride = is_long_run() ? 1 : 331;
    for (std::size_t i = 0; i < size; i += i < 750 || i + 40 > size ? 1 : stride) all.push_back(i);
    return all;
}

} // namespace

TEST_CASE("an exchange over a stream is the same wherever it is split", "[property][C81][C41]") {
    for (const role r : {role::client, role::server}) {
        const auto all   = peer_bytes(r, true);
        const auto whole = play(r, {all}, as_it_is);
        REQUIRE(whole.error == errc::closed);
        REQUIRE(whole.messages.size() == 5);
        REQUIRE(whole.closed);
        REQUIRE(whole.code == close_code::normal);
        for (const std::size_t at : places(all.size())) {
            CAPTURE(static_cast<int>(r), at);
            const bool same = play(r, {part(all, 0, at), part(all, at, all.size())}, as_it_is) == whole;
            CHECK(same);
        }
    }
}

TEST_CASE("an exchange over a stream that is cut anywhere ends, and never cleanly",
          "[property][C67][C125][C161][S30][S31]") {
    for (const role r : {role::client, role::server}) {
        const auto all   = peer_bytes(r, true);
        const auto whole = play(r, {all}, as_it_is);
        for (const std::size_t at : places(all.size())) {
            CAPTURE(static_cast<int>(r), at);
            const auto cut = play(r, {part(all, 0, at)}, as_it_is);
            CHECK((cut.error == errc::truncated || cut.error == errc::head_truncated));
            CHECK(cut.closed);
            CHECK(cut.code != close_code::normal);
            REQUIRE(cut.messages.size() <= whole.messages.size());
            CHECK(std::equal(cut.messages.begin(), cut.messages.end(), whole.messages.begin()));
        }
    }
}

TEST_CASE("an exchange over a stream works a few bytes at a time", "[property][C81]") {
    for (const role r : {role::client, role::server})
        for (const bool large : {false, true}) {
            const auto all   = peer_bytes(r, large);
            const auto whole = play(r, {all}, as_it_is);
            for (const std::size_t most : {1u, 2u, 3u, 7u, 1'000u}) {
                auto plan  = std::make_shared<failing_plan>();
                plan->most = most;
                const auto slow = play(r, {all}, [&](scripted_stream s) { return failing_stream(std::move(s), plan); });
                CAPTURE(static_cast<int>(r), most);
                CHECK(slow.error == errc::closed);
                CHECK(slow.messages == whole.messages);
            }
        }
}

TEST_CASE("every failing call of an exchange over a stream is its error, and the last call",
          "[property][C128][C163][S34]") {
    for (const role r : {role::client, role::server})
        for (const std::size_t most : {static_cast<std::size_t>(-1), std::size_t{100}, std::size_t{1}}) {
            const auto all = peer_bytes(r, most > 1);
            for (std::size_t at = 1;; at += at > 20 ? sampling_step() * (most == 1 ? 7 : 1) : 1) {
                auto plan     = std::make_shared<failing_plan>();
                plan->most    = most;
                plan->fail_at = at;
                const auto result = play(r, {all}, [&](scripted_stream s) { return failing_stream(std::move(s), plan); });
                if (!plan->failed) {
                    CHECK(result.error == errc::closed);
                    break;
                }
                CAPTURE(static_cast<int>(r), most, at);
                // Once both Closes are exchanged, a failure of the wait for the stream's end changes nothing (7.1.1).
                CHECK((result.error == std::errc::io_error || result.error == errc::closed));
                CHECK((result.error != errc::closed || result.written.size() >= 4));
                CHECK_FALSE(plan->used_after_failure);
                CHECK(result.closed);
            }
        }
}
