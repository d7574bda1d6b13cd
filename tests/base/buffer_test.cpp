#include <navette/base/buffer.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace navette;

namespace {

constexpr std::size_t most = static_cast<std::size_t>(-1);

// `size` bytes, each of which tells its place behind `first`.
std::vector<std::byte> numbered(std::size_t size, std::size_t first = 0) {
    std::vector<std::byte> made(size);
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<std::byte>((first + i) * 37 + ((first + i) >> 8));
    return made;
}

// A full fixed buffer with "abcdefgh" and 8 bytes of storage.
struct full {
    std::array<std::byte, 8> storage{};
    buffer                   b{storage};
    full() { REQUIRE(b.append("abcdefgh")); }
};

} // namespace

static_assert(!std::is_copy_constructible_v<buffer> && !std::is_copy_assignable_v<buffer>);
static_assert(std::is_nothrow_move_constructible_v<buffer> && std::is_nothrow_move_assignable_v<buffer>);
static_assert(noexcept(std::declval<buffer&>().reserve(1)) && noexcept(std::declval<buffer&>().grow(1)) &&
              noexcept(std::declval<buffer&>().append("")) && noexcept(std::declval<buffer&>().consume(0)));

TEST_CASE("a new buffer is empty and owns no memory", "[buffer]") {
    buffer b;
    CHECK(b.empty());
    CHECK(b.size() == 0);
    CHECK(b.capacity() == 0);
    CHECK(b.data().empty());
    CHECK_FALSE(b.is_fixed());
    CHECK(b.pong_size() == 0);
}

TEST_CASE("bytes come out in the order in which they went in", "[buffer]") {
    buffer b;
    CHECK(b.append("weft "));
    CHECK(b.append(bytes("61 62")));
    CHECK(b == text_bytes("weft ab"));
    b.consume(5);
    CHECK(b == text_bytes("ab"));
    CHECK(b.append("c"));
    CHECK(b == text_bytes("abc"));
    CHECK_FALSE(b == text_bytes("abd"));
    CHECK_FALSE(b == text_bytes("abcd"));
    CHECK(as_text(std::as_const(b).data()) == "abc");
}

TEST_CASE("appending nothing succeeds, also without memory or room", "[buffer]") {
    buffer b;
    CHECK(b.append(const_byte_span{}));
    CHECK(b.append(""));
    CHECK(b.reserve(0));
    CHECK(b.capacity() == 0);
    full f;
    CHECK(f.b.append(""));
    CHECK(f.b.reserve(0));
}

TEST_CASE("grow returns exactly the place of the new bytes at the end", "[buffer]") {
    buffer b;
    REQUIRE(b.append("ab"));
    const byte_span place = b.grow(3);
    REQUIRE(place.size() == 3);
    CHECK(place.data() == b.data().data() + 2);
    std::copy_n(text_bytes("cde").begin(), 3, place.begin());
    CHECK(b == text_bytes("abcde"));
}

TEST_CASE("a buffer grows to hold what is appended, with nothing lost", "[buffer]") {
    for (const std::size_t step : {1u, 7u, 255u, 256u, 257u, 4096u}) {
        buffer      b;
        std::size_t size = 0;
        while (size < 20'000) {
            REQUIRE(b.append(numbered(step, size)));
            size += step;
        }
        CHECK(b == numbered(size));
    }
}

TEST_CASE("a buffer that grows byte by byte moves its bytes a logarithmic number of times", "[buffer][C158]") {
    buffer                b;
    std::set<std::size_t> capacities;
    for (std::size_t i = 0; i < 1'000'000; ++i)
        if (!b.grow(1).empty()) capacities.insert(b.capacity());
    CHECK(b.size() == 1'000'000);
    CHECK(capacities.size() <= 14);   // 256 doubled twelve times is a million
    CHECK(b.capacity() <= 2'100'000);
}

TEST_CASE("one large append takes what it needs and no more", "[buffer]") {
    buffer b;
    REQUIRE_FALSE(b.grow(1'000'000).empty());
    CHECK(b.capacity() == 1'000'000);
}

TEST_CASE("after reserve, appends up to that size move nothing", "[buffer]") {
    buffer b;
    REQUIRE(b.append("ab"));
    REQUIRE(b.reserve(1'000));
    const std::byte* const place = b.data().data();
    for (int i = 0; i < 100; ++i) REQUIRE(b.append("0123456789"));
    CHECK(b.data().data() == place);
    CHECK(b.size() == 1'002);
}

TEST_CASE("a consume never moves the bytes", "[buffer]") {
    buffer b;
    REQUIRE(b.append(numbered(1'000)));
    const std::byte* const start = b.data().data();
    for (std::size_t i = 1; i < 1'000; ++i) {
        b.consume(1);
        if (b.data().data() != start + i) FAIL("moved at byte " << i);
    }
    CHECK(b == numbered(1, 999));
}

TEST_CASE("a buffer consumed to the end begins again at its front", "[buffer]") {
    buffer b;
    REQUIRE(b.append(numbered(100)));
    const std::byte* const start = b.data().data();
    b.consume(100);
    CHECK(b.empty());
    REQUIRE(b.append("x"));   // for which there would be room behind, too
    CHECK(b.data().data() == start);
    b.consume(1);
    REQUIRE(b.append(numbered(256)));
    CHECK(b.data().data() == start);
    CHECK(b.capacity() == 256);
    b.consume(0);
    CHECK(b.size() == 256);
}

TEST_CASE("a slow reader of 1 KiB steps keeps the memory bounded", "[buffer][C157][C160]") {
    for (const std::size_t queued : {1'024u, 65'536u}) {
        buffer b;
        REQUIRE(b.append(numbered(queued)));
        std::size_t read = 0, written = queued, largest = 0;
        while (read < 4u << 20) {
            REQUIRE(b.append(numbered(1'024, written)));
            written += 1'024;
            largest = std::max(largest, b.capacity());
            b.consume(1'024);
            read += 1'024;
        }
        CHECK(b == numbered(queued, read));
        CHECK(largest <= 2 * (queued + 1'024));
    }
}

TEST_CASE("capacity never shrinks and never passes twice what was live and one append", "[buffer][C157]") {
    buffer        b;
    std::uint32_t state = 1;
    const auto    next  = [&](std::size_t below) {
        state = state * 1'664'525u + 1'013'904'223u;
        return (state >> 8) % below;
    };
    std::size_t most_live = 0, most_appended = 0, capacity = 0, read = 0, written = 0;
    for (int i = 0; i < 5'000; ++i) {
        const std::size_t n = next(2'000);
        REQUIRE(b.append(numbered(n, written)));
        written += n;
        most_appended = std::max(most_appended, n);
        most_live     = std::max(most_live, b.size());
        if (b.capacity() < capacity) FAIL("it shrank to " << b.capacity());
        capacity = b.capacity();
        const std::size_t gone = std::min(b.size(), next(b.size() > 50'000 ? 4'000 : 2'100));
        b.consume(gone);
        read += gone;
    }
    CHECK(capacity <= 2 * most_live + most_appended);
    CHECK(b == numbered(written - read, read));
}

TEST_CASE("in the steady state a buffer allocates nothing, whatever part of it is waiting", "[buffer][C157]") {
    for (const std::size_t waiting : {1u, 100u, 600u, 1'000u, 5'000u})
        for (const std::size_t step : {1u, 100u, 500u, 1'000u}) {
            buffer b;
            REQUIRE(b.append(numbered(waiting)));
            const auto turn = [&] {
                static_cast<void>(b.grow(step));
                b.consume(step);
            };
            for (std::size_t i = 0; i < 3 * (waiting / step + 2); ++i) turn();
            const std::size_t settled = b.capacity();
            for (std::size_t i = 0; i < 10 * (waiting / step + 2); ++i) turn();
            CHECK(b.capacity() == settled);
            CHECK(b.size() == waiting);
        }
}

TEST_CASE("two buffers that are swapped in turn allocate nothing in the steady state", "[buffer][C157]") {
    buffer                           filled, written;
    std::set<const std::byte*>       places;
    std::array<std::size_t, 5> const sizes{100, 4'000, 1, 900, 2'500};
    for (int turn = 0; turn < 10; ++turn) {   // until each has held the largest
        filled.clear();
        REQUIRE(filled.append(numbered(4'000)));
        filled.swap(written);
    }
    const std::size_t both = filled.capacity() + written.capacity();
    for (std::size_t turn = 0; turn < 1'000; ++turn) {
        filled.clear();
        REQUIRE(filled.append(numbered(sizes[turn % sizes.size()])));
        filled.swap(written);
        places.insert(written.data().data());
        while (!written.empty()) written.consume(std::min<std::size_t>(written.size(), 300));
    }
    CHECK(places.size() == 2);
    CHECK(filled.capacity() + written.capacity() == both);
}

TEST_CASE("a fixed buffer lies in its storage and ends with it", "[buffer]") {
    std::array<std::byte, 10> storage{};
    storage.fill(std::byte{0xa5});
    buffer b{byte_span(storage).subspan(1, 8)};
    CHECK(b.is_fixed());
    CHECK(b.capacity() == 8);
    CHECK(b.append("abcdefg"));
    CHECK(b.can_take(1));
    CHECK_FALSE(b.can_take(2));
    CHECK_FALSE(b.append("hi"));
    CHECK(b.append("h"));
    CHECK(b == text_bytes("abcdefgh"));
    CHECK(b.data().data() == storage.data() + 1);
    CHECK(storage.front() == std::byte{0xa5});
    CHECK(storage.back() == std::byte{0xa5});
}

TEST_CASE("a full fixed buffer says so, in every way, and stays as it is", "[buffer][C164]") {
    full f;
    CHECK_FALSE(f.b.can_take(1));
    CHECK(f.b.can_take(0));
    CHECK_FALSE(f.b.reserve(1));
    CHECK(f.b.grow(1).empty());
    CHECK_FALSE(f.b.append("i"));
    CHECK(f.b == text_bytes("abcdefgh"));
}

TEST_CASE("a fixed buffer takes as much as was consumed, wherever the place is", "[buffer]") {
    for (std::size_t gone = 1; gone <= 8; ++gone) {
        full f;
        f.b.consume(gone);
        CHECK(f.b.can_take(gone));
        CHECK_FALSE(f.b.can_take(gone + 1));
        CHECK_FALSE(f.b.append(std::string(gone + 1, 'x')));
        CHECK(f.b.append(std::string(gone, 'x')));
        CHECK(f.b == text_bytes(std::string("abcdefgh").substr(gone) + std::string(gone, 'x')));
        CHECK(f.b.data().data() == f.storage.data());
    }
}

TEST_CASE("a fixed buffer without storage takes nothing", "[buffer]") {
    buffer b{byte_span{}};
    CHECK(b.is_fixed());
    CHECK_FALSE(b.append("x"));
    CHECK(b.append(""));
    CHECK(b.grow(0).empty());
}

TEST_CASE("sizes that no memory could hold are refused before any arithmetic wraps", "[buffer][S1][S3][S7][C164]") {
    buffer empty, some;
    REQUIRE(some.append("ab"));
    for (const std::size_t n : {most, most - 1, most / 2 + 1}) {
        CHECK_FALSE(empty.reserve(n));
        CHECK(empty.grow(n).empty());
        CHECK_FALSE(some.reserve(n));
        CHECK(some.grow(n).empty());
    }
    CHECK_FALSE(some.reserve(most / 2 - 1));   // with the two bytes one too many
    CHECK(empty.capacity() == 0);
    CHECK(some == text_bytes("ab"));

    full f;
    f.b.consume(3);
    for (const std::size_t n : {most, most - 4, most / 2}) {
        CHECK_FALSE(f.b.can_take(n));
        CHECK_FALSE(f.b.reserve(n));
    }
    CHECK(f.b == text_bytes("defgh"));
}

TEST_CASE("a buffer that grows can take anything, short of the heap's refusal", "[buffer]") {
    buffer b;
    CHECK(b.can_take(0));
    CHECK(b.can_take(most));
}

TEST_CASE("shrink takes bytes off the end, down to none", "[buffer]") {
    buffer b;
    REQUIRE(b.append("abcdef"));
    b.consume(1);
    b.shrink(2);
    CHECK(b == text_bytes("bcd"));
    b.shrink(0);
    CHECK(b.size() == 3);
    b.shrink(3);
    CHECK(b.empty());
    REQUIRE(b.append("xyz"));
    CHECK(b == text_bytes("xyz"));
    b.consume(3);
    CHECK(b.empty());
}

TEST_CASE("clear drops the bytes and keeps the memory", "[buffer]") {
    buffer b;
    REQUIRE(b.append(numbered(1'000)));
    b.consume(10);
    const std::size_t capacity = b.capacity();
    b.mark_pong(4);
    b.clear();
    CHECK(b.empty());
    CHECK(b.capacity() == capacity);
    CHECK(b.pong_size() == 0);
}

TEST_CASE("a moved buffer takes bytes, memory and pong along; what is left is empty and grows", "[buffer]") {
    buffer a;
    REQUIRE(a.append("-weft"));
    a.consume(1);
    a.mark_pong(2);
    const std::byte* const place = a.data().data();
    buffer b(std::move(a));
    CHECK(b == text_bytes("weft"));
    CHECK(b.data().data() == place);
    CHECK(b.pong_size() == 2);
    CHECK(a.empty());   // NOLINT(bugprone-use-after-move): that is what is tested
    CHECK(a.capacity() == 0);
    CHECK(a.pong_size() == 0);
    CHECK(a.append("x"));

    full f;
    buffer c(std::move(f.b));
    CHECK(c.is_fixed());
    CHECK(c == text_bytes("abcdefgh"));
    CHECK_FALSE(f.b.is_fixed());
    CHECK(f.b.append("more than eight bytes"));
}

TEST_CASE("assigning to a buffer drops what it held, and to itself nothing", "[buffer]") {
    buffer a, b;
    REQUIRE((a.append("a") && b.append("b")));
    a = std::move(b);
    CHECK(a == text_bytes("b"));
    CHECK(b.capacity() == 0);   // NOLINT(bugprone-use-after-move)
    buffer& same = a;
    a            = std::move(same);
    CHECK(a == text_bytes("b"));

    full f;
    f.b = std::move(a);
    CHECK_FALSE(f.b.is_fixed());
    CHECK(f.b == text_bytes("b"));
}

TEST_CASE("swap exchanges fixed and growing buffers whole", "[buffer]") {
    full   f;
    buffer grows;
    REQUIRE(grows.append("xy"));
    grows.mark_pong(2);
    grows.swap(f.b);
    CHECK(grows.is_fixed());
    CHECK(grows == text_bytes("abcdefgh"));
    CHECK(grows.pong_size() == 0);
    CHECK(f.b == text_bytes("xy"));
    CHECK(f.b.pong_size() == 2);
    CHECK(f.b.append(numbered(100)));
}

TEST_CASE("a pong at the end is remembered until something follows it", "[buffer][6455:5.5.3]") {
    buffer b;
    REQUIRE(b.append("text"));
    CHECK(b.pong_size() == 0);
    REQUIRE(b.append("\x8a\x01x"));
    b.mark_pong(3);
    CHECK(b.pong_size() == 3);

    SECTION("appending nothing and reserving forget nothing") {
        CHECK(b.append(""));
        CHECK(b.reserve(10'000));
        CHECK(b.pong_size() == 3);
    }
    SECTION("an append") { CHECK((b.append("y") && b.pong_size() == 0)); }
    SECTION("a grow") { CHECK((!b.grow(1).empty() && b.pong_size() == 0)); }
    SECTION("a shrink, even by less") {
        b.shrink(1);
        CHECK(b.pong_size() == 0);
    }
    SECTION("the next pong takes its place") {
        REQUIRE(b.append(std::string(131, 'p')));
        b.mark_pong(131);
        CHECK(b.pong_size() == 131);
    }
}

TEST_CASE("a pong is forgotten once its first byte has left, not before", "[buffer][6455:5.5.3]") {
    for (std::size_t before : {0u, 1u, 5u})
        for (std::size_t gone = 0; gone <= before + 3; ++gone) {
            buffer b;
            REQUIRE(b.append(numbered(before)));
            REQUIRE(b.append("\x8a\x01x"));
            b.mark_pong(3);
            b.consume(gone);
            CHECK(b.pong_size() == (gone <= before ? 3u : 0u));
        }
}

TEST_CASE("a pong survives that the buffer moves its bytes", "[buffer][6455:5.5.3]") {
    std::array<std::byte, 16> storage{};
    buffer                    b{storage};
    REQUIRE(b.append("0123456789\x8a\x01x"));
    b.mark_pong(3);
    b.consume(8);
    REQUIRE(b.reserve(9));
    CHECK(b == text_bytes("89\x8a\x01x"));
    CHECK(b.pong_size() == 3);
}

#if !defined(__SANITIZE_ADDRESS__) && SIZE_MAX > 0xffff'ffff
TEST_CASE("a heap that has no more says so, and nothing is lost", "[buffer][C164]") {
    buffer b;
    REQUIRE(b.append("ab"));
    const volatile std::size_t huge = most / 2 - 2;
    CHECK_FALSE(b.reserve(huge));
    CHECK(b.grow(huge).empty());
    CHECK(b == text_bytes("ab"));
}
#endif
