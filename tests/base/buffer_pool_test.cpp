#include <navette/base/buffer_pool.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

using namespace navette;

namespace {

buffer of_size(std::size_t size) {
    buffer made;
    REQUIRE(made.reserve(size));
    REQUIRE(made.capacity() == size);
    return made;
}

} // namespace

static_assert(!std::is_copy_constructible_v<buffer_pool> && !std::is_move_constructible_v<buffer_pool>);

TEST_CASE("a new pool keeps nothing and gives buffers without memory", "[buffer_pool]") {
    buffer_pool pool;
    CHECK(pool.bytes_kept() == 0);
    const buffer b = pool.take();
    CHECK(b.capacity() == 0);
    CHECK_FALSE(b.is_fixed());
}

TEST_CASE("the memory that was given last is taken first", "[buffer_pool]") {
    buffer_pool pool;
    pool.give(of_size(300));
    pool.give(of_size(400));
    pool.give(of_size(500));
    CHECK(pool.bytes_kept() == 1'200);
    CHECK(pool.take().capacity() == 500);
    CHECK(pool.take().capacity() == 400);
    CHECK(pool.bytes_kept() == 300);
    CHECK(pool.take().capacity() == 300);
    CHECK(pool.bytes_kept() == 0);
    CHECK(pool.take().capacity() == 0);
}

TEST_CASE("a buffer comes out of the pool empty and without its pong", "[buffer_pool]") {
    buffer_pool pool;
    buffer      used;
    REQUIRE(used.append("secret"));
    used.consume(2);
    used.mark_pong(3);
    pool.give(std::move(used));
    buffer again = pool.take();
    CHECK(again.empty());
    CHECK(again.pong_size() == 0);
    CHECK(again.capacity() == 256);
    CHECK(again.append("new"));
    CHECK(again == text_bytes("new"));
}

TEST_CASE("a pool keeps its bound of bytes and not one more", "[buffer_pool][C157]") {
    buffer_pool pool(1'000);
    pool.give(of_size(1'001));
    CHECK(pool.bytes_kept() == 0);
    pool.give(of_size(1'000));
    CHECK(pool.bytes_kept() == 1'000);
    pool.give(of_size(256));
    CHECK(pool.bytes_kept() == 1'000);

    buffer_pool shared(1'000);
    shared.give(of_size(400));
    shared.give(of_size(601));
    CHECK(shared.bytes_kept() == 400);
    shared.give(of_size(600));
    CHECK(shared.bytes_kept() == 1'000);
}

TEST_CASE("a pool with a bound of 0 keeps nothing", "[buffer_pool]") {
    buffer_pool pool(0);
    pool.give(of_size(256));
    CHECK(pool.bytes_kept() == 0);
    CHECK(pool.take().capacity() == 0);
}

TEST_CASE("a pool keeps 64 MiB by default", "[buffer_pool]") { CHECK(buffer_pool::default_max_bytes == 67'108'864); }

TEST_CASE("neither a fixed buffer nor one without memory is kept", "[buffer_pool]") {
    buffer_pool                pool;
    std::array<std::byte, 100> storage{};
    pool.give(buffer(storage));
    pool.give(buffer());
    CHECK(pool.bytes_kept() == 0);
    CHECK(pool.take().capacity() == 0);
}

TEST_CASE("a pool keeps as many buffers as it is given", "[buffer_pool]") {
    for (const std::size_t count : {15u, 16u, 17u, 32u, 33u, 1'000u}) {
        buffer_pool pool;
        for (std::size_t i = 0; i < count; ++i) pool.give(of_size(256 + i));
        for (std::size_t i = count; i-- > 0;) REQUIRE(pool.take().capacity() == 256 + i);
        CHECK(pool.bytes_kept() == 0);
    }
}

TEST_CASE("in the steady state the same memory goes round", "[buffer_pool][C157]") {
    buffer_pool                pool;
    std::set<const std::byte*> places;
    for (int turn = 0; turn < 1'000; ++turn) {
        buffer first = pool.take(), second = pool.take();
        REQUIRE((!first.grow(5'000).empty() && !second.grow(5'000).empty()));
        places.insert(first.data().data());
        places.insert(second.data().data());
        pool.give(std::move(second));
        pool.give(std::move(first));
    }
    CHECK(places.size() == 2);
    CHECK(pool.bytes_kept() == 10'000);
}

TEST_CASE("buffers taken from a pool outlive it", "[buffer_pool]") {
    buffer kept;
    {
        buffer_pool pool;
        pool.give(of_size(300));
        pool.give(of_size(400));
        kept = pool.take();
    }
    CHECK(kept.append(std::vector<std::byte>(400)));
    CHECK(kept.capacity() == 400);
}

TEST_CASE("a pool gives memory back until it keeps no more than it may, the oldest first", "[buffer_pool]") {
    buffer_pool pool;
    for (const std::size_t size : {1'000u, 2'000u, 3'000u}) {
        buffer one;
        REQUIRE(one.reserve(size));
        pool.give(std::move(one));
    }
    CHECK(pool.bytes_kept() == 6'000);
    pool.shrink(6'000);
    CHECK(pool.bytes_kept() == 6'000);
    pool.shrink(5'999);
    CHECK(pool.bytes_kept() == 5'000);
    pool.shrink(3'000);
    CHECK(pool.bytes_kept() == 3'000);
    CHECK(pool.take().capacity() == 3'000);
    pool.shrink(0);
    CHECK(pool.bytes_kept() == 0);
    CHECK(pool.take().capacity() == 0);
}

TEST_CASE("a larger buffer has the room that was asked for, or no memory at all", "[buffer_pool]") {
    buffer_pool pool;
    CHECK(pool.larger(1'000).capacity() >= 1'000);
    CHECK(pool.larger(static_cast<std::size_t>(-1)).capacity() == 0);
}
