// What the core asks of the heap: nothing in the steady state, and when it refuses, an error code. And the functions
// through which support/heap_watch.hpp sees all of this binary.
#include <navette/protocol/session.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"
#include "support/exchanges.hpp"
#include "support/heap_watch.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <new>

namespace {

// What was taken under the watch and is not freed yet; there is little of it.
struct taken {
    void*       place;
    std::size_t size;
};
taken       all_taken[1'024];
std::size_t taken_count = 0;

void note_taken(void* place, std::size_t size) {
    if (heap_watch::live == 0) taken_count = 0;
    if (taken_count == std::size(all_taken)) std::abort();
    all_taken[taken_count++] = {place, size};
    heap_watch::live += size;
    heap_watch::peak = std::max(heap_watch::peak, heap_watch::live);
}

} // namespace

extern "C" void* __real_malloc(std::size_t);
extern "C" void  __real_free(void*);

extern "C" void* __wrap_malloc(std::size_t size) {
    if (!heap_watch::watching) return __real_malloc(size);
    const std::size_t n = heap_watch::allocations++;
    heap_watch::allocated_bytes += size;
    if (n >= heap_watch::refused_from && n < heap_watch::refused_to) return nullptr;
    void* const place = __real_malloc(size);
    if (place != nullptr && size != 0) note_taken(place, size);
    return place;
}

extern "C" void __wrap_free(void* place) {
    if (heap_watch::watching)
        for (std::size_t i = 0; i < taken_count; ++i)
            if (all_taken[i].place == place) {
                heap_watch::live -= all_taken[i].size;
                all_taken[i] = all_taken[--taken_count];
                break;
            }
    __real_free(place);
}

// Not inlined: g++ would see memory of new given to free, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
    if (void* const place = __wrap_malloc(size == 0 ? 1 : size)) return place;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return __wrap_malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* place) noexcept { std::free(place); }
[[gnu::noinline]] void operator delete[](void* place) noexcept { std::free(place); }
[[gnu::noinline]] void operator delete(void* place, std::size_t) noexcept { std::free(place); }
[[gnu::noinline]] void operator delete[](void* place, std::size_t) noexcept { std::free(place); }

using namespace navette;

namespace {

// One side of a connection as a program has it: a session, and two buffers that alternate.
template <role R>
struct side {
    session<R> ws;
    buffer     out, writing;

    explicit side(buffer_pool& pool) : ws(protocol<R>(), pool) {}
};

// Gives what `from` has to say to `to`, in reads of at most `step` bytes through one read buffer; echoes if asked to.
template <role From, role To>
std::size_t carry(side<From>& from, side<To>& to, byte_span reads, bool echo) {
    std::size_t messages = 0;
    from.out.swap(from.writing);
    const auto heard = [&](const event& e) {
        if (!e.is_message()) return e.type != event_type::failed;
        ++messages;
        return !echo ||
               to.ws.protocol().send(e.type == event_type::text ? opcode::text : opcode::binary,
                                     e.payload, fin::yes, to.out) == errc{};
    };
    while (!from.writing.empty()) {
        const byte_span direct = to.ws.direct_space();
        const byte_span place =
            direct.empty() ? reads : direct.first(std::min(direct.size(), reads.size()));
        const auto      n      = std::min(place.size(), from.writing.size());
        std::copy_n(from.writing.data().begin(), n, place.begin());
        from.writing.consume(n);
        if (!direct.empty()) {
            if (!heard(to.ws.received_direct(n, to.out))) return messages;
            continue;
        }
        byte_span in = place.first(n);
        while (const event e = to.ws.receive(in, to.out))
            if (!heard(e)) return messages;
    }
    byte_span none;
    to.ws.receive(none, to.out);   // the last message goes back to the pool
    return messages;
}

enum class shape { small, fragmented, large, pinged };

// One round: the client says one message, the server echoes it. False: something was refused.
bool round_of(shape s, side<role::client>& client, side<role::server>& server, byte_span reads,
              const_byte_span large) {
    auto& ws  = client.ws.protocol();
    auto& out = client.out;
    errc  e{};
    switch (s) {
    case shape::small: e = ws.send(opcode::text, "a small message", fin::yes, out); break;
    case shape::fragmented:
        e = ws.send(opcode::text, "in ", fin::no, out);
        if (e == errc{}) e = ws.send(opcode::continuation, "", fin::no, out);
        if (e == errc{}) e = ws.send(opcode::continuation, "pieces", fin::yes, out);
        break;
    case shape::large: e = ws.send(opcode::binary, large, fin::yes, out); break;
    case shape::pinged:
        e = ws.ping(large.first(125), out);
        if (e == errc{}) e = ws.send(opcode::text, "pinged", fin::yes, out);
        break;
    }
    return e == errc{} && carry(client, server, reads, true) == 1 &&
           carry(server, client, reads, false) == 1;
}

} // namespace

TEST_CASE("the heap's watch counts malloc and new", "[property]") {
    void* volatile        place;   // volatile: or the compiler does without both
    std::size_t* volatile made;
    {
        const heap_watch watch;
        place = std::malloc(10);
        made  = new std::size_t(1);
    }
    CHECK(heap_watch::live == 10 + sizeof(std::size_t));
    std::free(place);
    delete made;
    CHECK(heap_watch::allocations == 2);
    CHECK(heap_watch::allocated_bytes == 10 + sizeof(std::size_t));
}

TEST_CASE("in the steady state a message costs no allocation, on either side",
          "[property][protocol][C157]") {
    const shape s = GENERATE(shape::small, shape::fragmented, shape::large, shape::pinged);
    const auto  step = GENERATE(std::size_t{7}, std::size_t{4'096}, std::size_t{65'536});
    CAPTURE(static_cast<int>(s), step);
    byte_vector        reads(step), large(s == shape::large ? 20 * step + 50'000 : 125);
    buffer_pool        pool;
    side<role::client> client(pool);
    side<role::server> server(pool);
    bool               complete = true;
    for (int i = 0; i < 3; ++i) complete = complete && round_of(s, client, server, reads, large);
    {
        const heap_watch watch;
        for (int i = 0; i < 10; ++i)
            complete = complete && round_of(s, client, server, reads, large);
    }
    CHECK(complete);
    CHECK(heap_watch::allocations == 0);
}

TEMPLATE_TEST_CASE("receive alone never allocates, whatever comes",
                   "[property][protocol][C157][S15][S18]", client_protocol, server_protocol) {
    byte_vector storage(4'096);
    for (const exchange& x : stored_exchanges(nullptr)) {
        CAPTURE(x.name);
        auto   wire = from_peer<TestType>(x.unmasked);
        buffer out{byte_span(storage)};
        {
            const heap_watch watch;
            TestType         ws;
            byte_span        in{wire};
            while (ws.receive(in, out)) {}
            ws.receive_eof(out);
        }
        CHECK(heap_watch::allocations == 0);
    }
}

TEMPLATE_TEST_CASE("a declared length costs nothing, what comes costs in proportion",
                   "[property][session][6455:10.4][C157][S15]", client_protocol, server_protocol) {
    limits none;
    none.max_message_size = static_cast<std::uint64_t>(-1);
    auto wire =
        from_peer<TestType>(concat(header(0x82, std::uint64_t{1} << 62), byte_vector(50'000)));
    buffer_pool pool;
    buffer      out;
    const auto  cost = [&](std::size_t received) {
        session<role_of<TestType>> ws(TestType({}, none), pool);
        auto                       copy = wire;
        const heap_watch           watch;
        byte_span                  in = byte_span(copy).first(copy.size() - 50'000 + received);
        ws.receive(in, out);
        return heap_watch::allocated_bytes;
    };
    CHECK(cost(0) == 0);
    CHECK(cost(1) <= 1'024);
    CHECK(cost(50'000) <= 64 * 1'024);
}

TEST_CASE("whichever allocation is refused, it is an error code and nothing breaks",
          "[property][protocol][C128][C164][S42]") {
    const bool  for_good = GENERATE(false, true);   // or only this one
    const shape s        = GENERATE(shape::small, shape::fragmented, shape::large, shape::pinged);
    byte_vector reads(4'096), large(s == shape::large ? 100'000 : 125);
    std::size_t n = 0, broken = 0;
    for (bool complete = false; !complete; ++n) {
        if (n == 1'000) FAIL("the sweep does not come to an end");
        buffer_pool        pool;
        side<role::client> client(pool);
        side<role::server> server(pool);
        {
            const heap_watch watch(n, for_good ? static_cast<std::size_t>(-1) : n + 1);
            bool             said = true;
            for (int i = 0; said && i < 2; ++i) said = round_of(s, client, server, reads, large);
            complete = said && heap_watch::allocations <= n;
            broken += !said;
        }
        if (complete) break;
        // Whole frames wait, none in part; what was refused may be tried again or the connection has failed.
        frames_of(client.out.data());
        frames_of(server.out.data());
        if (server.ws.protocol().state() == connection_state::open) {
            const errc e = server.ws.protocol().send(opcode::text, "again", fin::yes, server.out);
            if (e != errc{}) FAIL("not sent: " << describe(e));
        }
    }
    CHECK(n >= 2);
    CHECK(broken >= 2);
}
