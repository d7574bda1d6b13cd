#include <navette/deflate_backend.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/counted_allocator.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

using namespace navette;

namespace {

struct plain_coder {
    static inline std::atomic<int> alive{0};
    int               begun = 0;
    plain_coder() noexcept { ++alive; }
    ~plain_coder() { --alive; }
    errc begin(errc e) noexcept {
        ++begun;
        return e;
    }
};
using coders = navette::detail::idle_coders<plain_coder>;

constexpr auto begin      = [](plain_coder& c) noexcept { return c.begin({}); };
constexpr auto fail_begin = [](plain_coder& c) noexcept { return c.begin(errc::out_of_memory); };

} // namespace

static_assert(!deflate_compressor<plain_coder> && !deflate_decompressor<plain_coder>);

TEST_CASE("memory is counted while it is in use", "[deflate_backend]") {
    deflate_memory memory({});
    CHECK(memory.in_use() == 0);
    void* const one = memory.take(100);
    const auto  a   = memory.in_use();
    void* const two = memory.take(1);
    CHECK(a >= 100);
    CHECK(memory.in_use() > a);
    CHECK(reinterpret_cast<std::uintptr_t>(one) % alignof(std::max_align_t) == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(two) % alignof(std::max_align_t) == 0);
    memory.give(two);
    CHECK(memory.in_use() == a);
    memory.give(nullptr);
    memory.give(one);
    CHECK(memory.in_use() == 0);
}

TEST_CASE("memory comes from the application's allocator and goes back there with its size", "[deflate_backend]") {
    counted_allocator counted;
    deflate_memory    memory(counted.hook());
    void* const       place = memory.take(1'000);
    CHECK(counted.takes == 1);
    CHECK(counted.live == memory.in_use());
    memory.give(place);
    CHECK(counted.gives == 1);
    CHECK(counted.wrong == 0);
    CHECK(counted.live == 0);
}

TEST_CASE("memory that is refused, or more than there can be, is null and not counted", "[deflate_backend][C164]") {
    counted_allocator counted{.refused_from = 0};
    deflate_memory    memory(counted.hook()), heap({});
    CHECK(memory.take(1) == nullptr);
    CHECK(memory.in_use() == 0);
    CHECK(heap.take(static_cast<std::size_t>(-1)) == nullptr);
    CHECK(heap.take(static_cast<std::size_t>(-8)) == nullptr);
    CHECK(heap.in_use() == 0);
}

TEST_CASE("a coder that was given back is taken again, by its window", "[deflate_backend]") {
    deflate_memory memory({});
    {
        coders      pool(memory, 4);
        auto* const ten = pool.take(10, begin);
        auto* const nine = pool.take(9, begin);
        REQUIRE((ten != nullptr && nine != nullptr));
        CHECK((ten->window_bits == 10 && nine->window_bits == 9));
        pool.give(ten);
        pool.give(nine);
        CHECK(pool.take(9, begin) == nine);
        CHECK(pool.take(10, begin) == ten);
        CHECK(ten->coder.begun == 1);
        auto* const more = pool.take(10, begin);
        CHECK(more != ten);
        pool.give(ten);
        pool.give(nine);
        pool.give(more);
        CHECK(plain_coder::alive == 3);
    }
    CHECK(plain_coder::alive == 0);
    CHECK(memory.in_use() == 0);
}

TEST_CASE("no more coders wait than they may, and they can be sent away", "[deflate_backend]") {
    deflate_memory memory({});
    for (const std::size_t most : {0u, 1u, 2u, 3u}) {
        coders                     pool(memory, most);
        std::vector<coders::node*> taken;
        for (int i = 0; i < 3; ++i) taken.push_back(pool.take(15, begin));
        for (auto* n : taken) pool.give(n);
        CHECK(plain_coder::alive == static_cast<int>(most));
        pool.clear();
        CHECK(plain_coder::alive == 0);
        pool.clear();
    }
    CHECK(memory.in_use() == 0);
}

TEST_CASE("a coder that cannot begin is none", "[deflate_backend][C164]") {
    deflate_memory memory({});
    coders         pool(memory, 4);
    CHECK(pool.take(15, fail_begin) == nullptr);
    CHECK(pool.make(15, fail_begin) == nullptr);
    CHECK(plain_coder::alive == 0);
    CHECK(memory.in_use() == 0);
    counted_allocator none{.refused_from = 0};
    deflate_memory    empty(none.hook());
    coders            poor(empty, 4);
    CHECK(poor.take(15, begin) == nullptr);
    pool.destroy(nullptr);
}

TEST_CASE("threads that share coders never have the same one", "[deflate_backend][S40]") {
    deflate_memory           memory({});
    coders                   pool(memory, 2);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 2'000; ++n) {
                auto* const mine = pool.take(15, [](plain_coder&) noexcept { return errc{}; });
                ++mine->coder.begun;   // a race, if somebody else had it too
                pool.give(mine);
            }
        });
    for (auto& t : threads) t.join();
    pool.clear();
    CHECK(memory.in_use() == 0);
}
