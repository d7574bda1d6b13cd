// What bombs, and very many connections, cost with compression.
#include <navette/deflate.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/counted_allocator.hpp"
#include "support/deflate_pair.hpp"
#include "support/endpoint.hpp"
#include "support/heap_watch.hpp"

#include <navette/protocol/session.hpp>

#include <algorithm>
#include <ctime>
#include <string>

using namespace navette;

namespace {

// Zeros, 1 GiB of them in a little more than 1 MiB, as one message: blocks of 1 MiB, each without a look at the one before.
class bomb {
    byte_vector mebibyte_;

public:
    static constexpr std::uint64_t size = std::uint64_t{1} << 30;
    static constexpr std::size_t   pieces = 1'024;

    bomb() {
        byte_vector zeros(1 << 20);
        mebibyte_.resize(8'192);
        ::z_stream stream{};
        deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
        stream.next_in   = navette::detail::zlib_bytes(zeros.data());
        stream.avail_in  = navette::detail::zlib_size(zeros.size());
        stream.next_out  = navette::detail::zlib_bytes(mebibyte_.data());
        stream.avail_out = navette::detail::zlib_size(mebibyte_.size());
        ::deflate(&stream, Z_FULL_FLUSH);
        mebibyte_.resize(mebibyte_.size() - stream.avail_out);
        ::deflateEnd(&stream);
    }

    // The header of the frame, and one piece of its payload; the last is without the trailer.
    template <class P>
    byte_vector head() const {
        auto made = header(0xc2, mebibyte_.size() * pieces - 4);
        if (role_of<P> == role::client) return made;
        made[1] |= std::byte{0x80};
        made.resize(made.size() + 4);   // the masking key is 0, so the payload stands as it is
        return made;
    }
    const_byte_span piece(std::size_t n) const {
        return const_byte_span(mebibyte_).first(mebibyte_.size() - (n + 1 == pieces ? 4 : 0));
    }
};

struct outcome {
    std::uint64_t received = 0;
    errc          error{};
    bool          complete = false;
};

// Gives the bomb to a protocol or session, in reads of 4 KiB, and counts what comes of it.
template <class P, class Receiver>
outcome set_off(Receiver& ws, const bomb& b, buffer& out, byte_span reads) {
    outcome    o;
    const auto give = [&](const_byte_span bytes) {
        while (!bytes.empty()) {
            const std::size_t n = std::min(bytes.size(), reads.size());
            std::copy_n(bytes.begin(), n, reads.begin());
            bytes = bytes.subspan(n);
            byte_span in = reads.first(n);
            while (const event e = ws.receive(in, out)) {
                o.received += e.payload.size();
                o.complete = o.complete || (e.is_message() && e.last);
                if (e.type == event_type::failed) o.error = e.error;
            }
        }
    };
    give(b.head<P>());
    for (std::size_t i = 0; i < bomb::pieces && o.error == errc{}; ++i) give(b.piece(i));
    return o;
}

} // namespace

TEMPLATE_TEST_CASE("a bomb that is delivered in pieces costs less than 128 KiB, whatever the limit",
                   "[property][deflate][6455:10.4][C145][S19]", client_protocol, server_protocol) {
    const bomb  b;
    limits      bounds;
    byte_vector storage(1'024), reads(4'096);
    buffer      out{byte_span(storage)};
    // To inflate all of it takes a second: a server does so within its limit, a client one byte beyond it.
    for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 20,
                                     role_of<TestType> == role::server ? bomb::size : bomb::size - 1}) {
        CAPTURE(most);
        bounds.max_message_size = most;
        outcome o;
        {
            const heap_watch         watch;
            const permessage_deflate deflate;
            TestType                 ws(agreement_on(deflate.factory(), widest), bounds);
            o = set_off<TestType>(ws, b, out, reads);
        }
        CHECK(heap_watch::peak < 128 * 1'024);
        CHECK(heap_watch::live == 0);
        CHECK(o.received <= most);
        CHECK(o.complete == (most >= bomb::size));
        CHECK(o.error == (most >= bomb::size ? errc{} : errc::message_too_big));
        if (most >= bomb::size) CHECK(o.received == bomb::size);
        out.clear();
    }
}

TEMPLATE_TEST_CASE("a bomb that is delivered whole costs less than twice the limit and 128 KiB",
                   "[property][deflate][6455:10.4][C145][S19]", client_protocol, server_protocol) {
    const bomb  b;
    limits      bounds;
    byte_vector storage(1'024), reads(4'096);
    buffer      out{byte_span(storage)};
    for (const std::uint64_t most : {0u, 1u, 1'000u, 65'535u, 65'536u, 1'000'000u, 16u << 20, (16u << 20) + 12'345u}) {
        CAPTURE(most);
        bounds.max_message_size = most;
        outcome o;
        {
            const heap_watch           watch;
            const permessage_deflate   deflate;
            buffer_pool                pool;
            session<role_of<TestType>> ws(TestType(agreement_on(deflate.factory(), widest), bounds), pool);
            o = set_off<TestType>(ws, b, out, reads);
        }
        CHECK(heap_watch::peak < 2 * most + 128 * 1'024);
        CHECK(heap_watch::live == 0);
        CHECK(o.received == 0);
        CHECK(o.error == errc::message_too_big);
        out.clear();
    }
}

TEMPLATE_TEST_CASE("a hundred thousand connections leave nothing behind", "[property][deflate][C128][S24]",
                   client_protocol, server_protocol) {
    counted_allocator counted;
    {
        const permessage_deflate deflate({.memory_level = 1, .window_size = 256, .allocator = counted.hook()});
        byte_vector              storage(1'024);
        buffer                   out{byte_span(storage)};
        const auto               hello = from_peer<TestType>(bytes("c1 07 f2 48 cd c9 c9 07 00"));
        std::size_t              heard = 0;
        for (int i = 0; i < 100'000; ++i) {
            TestType ws(agreement_on(deflate.factory(), {.send_window_bits            = 9,
                                                         .receive_window_bits         = 9,
                                                         .send_no_context_takeover    = i % 2 == 0,
                                                         .receive_no_context_takeover = i % 4 < 2}));
            if (ws.send(opcode::text, "Hello", fin::yes, out, navette::compress::always) != errc{}) break;
            out.clear();
            auto      copy = hello;
            byte_span in{copy};
            heard += ws.receive(in, out).text() == "Hello";
            // What one connection takes, and one compressor and decompressor that wait.
            if (counted.live > 40'000) break;
        }
        CHECK(heard == 100'000);
    }
    CHECK(counted.live == 0);
    CHECK(counted.peak < 40'000);
}

TEMPLATE_TEST_CASE("final blocks cost the same each, however many there are", "[property][deflate][S20]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate;
    const auto               seconds_for = [&](std::size_t blocks) {
        byte_vector payload;
        for (std::size_t i = 0; i < blocks; ++i) payload.insert(payload.end(), {std::byte{3}, std::byte{0}});
        payload.push_back(std::byte{0});
        auto   wire = from_peer<TestType>(frame(0xc2, payload));
        double best = 1e9;
        for (int i = 0; i < 3; ++i) {
            auto       copy = wire;
            endpoint<TestType> us(agreement_on(deflate.factory(), widest));
            REQUIRE(us.hears(bytes("c1 07 f2 48 cd c9 c9 07 00")) == "text Hello");
            byte_span  in{copy};
            const std::clock_t began = std::clock();   // the processor's time: others may use it, too
            const event e = us.ws.receive(in, us.out);
            best = std::min(best, static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC);
            REQUIRE(to_text(e) == "binary");
        }
        return best;
    };
    const double few = seconds_for(10'000), many = seconds_for(100'000);
    CHECK(many < 30 * few);   // 10 times, were it not for caches
    CHECK(many < 5);
}
