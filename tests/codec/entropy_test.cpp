#include <navette/codec/entropy.hpp>

#include <navette/codec/mask.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#  include <sys/wait.h>
#  include <unistd.h>
#endif
#if defined(__linux__)
#  include <errno.h>
#  include <sys/random.h>
#  include <sys/syscall.h>
#endif

using namespace navette;

namespace {

template <std::size_t N>
std::array<std::byte, N> drawn() {
    std::array<std::byte, N> made{};
    if (!entropy{}(made)) FAIL("the system has no entropy");
    return made;
}

} // namespace

TEST_CASE("a million handshake nonces are all different", "[entropy][6455:4.1][C14]") {
    std::vector<std::array<std::byte, 16>> nonces(1'000'000);
    const entropy source;
    const bool all =
        std::all_of(nonces.begin(), nonces.end(), [&](auto& nonce) { return source(nonce); });
    REQUIRE(all);
    std::sort(nonces.begin(), nonces.end());
    CHECK(std::adjacent_find(nonces.begin(), nonces.end()) == nonces.end());
}

TEST_CASE(
    "a million masking keys repeat as seldom as chance has it, and each bit is set in half of them",
    "[entropy][6455:10.3][C79][S43]") {
    constexpr std::size_t draws = 1'000'000;
    std::vector<std::uint32_t> keys(draws);
    std::array<std::size_t, 32> set{};
    for (std::uint32_t& key : keys) {
        const masking_key made = drawn<4>();
        std::memcpy(&key, made.data(), sizeof key);
        for (std::size_t bit = 0; bit < 32; ++bit) set[bit] += key >> bit & 1;
    }
    for (const std::size_t count : set)   // six standard deviations
        CHECK(std::abs(static_cast<double>(count) - 500'000.0) < 3'000.0);

    std::sort(keys.begin(), keys.end());
    std::size_t repeats = 0;
    for (std::size_t i = 1; i < draws; ++i) repeats += keys[i] == keys[i - 1];
    CHECK(repeats > 40);   // 116 are expected of 32 bits, with a standard deviation of 11
    CHECK(repeats < 200);
}

TEST_CASE("every size is filled to its last byte, and nothing behind it", "[entropy]") {
    for (std::size_t size : {0u, 1u, 3u, 4u, 5u, 16u, 511u, 512u, 513u, 1024u, 5000u}) {
        // a byte that stays zero in forty draws was not filled
        std::vector<std::byte> ever(size + 4), memory(size + 4);
        for (int round = 0; round < 40; ++round) {
            REQUIRE(system_entropy(nullptr, byte_span(memory).first(size)));
            for (std::size_t i = 0; i < memory.size(); ++i) ever[i] |= memory[i];
        }
        CHECK(std::count(ever.begin(), ever.begin() + static_cast<std::ptrdiff_t>(size),
                         std::byte{0}) == 0);
        CHECK(std::count(ever.end() - 4, ever.end(), std::byte{0}) == 4);
    }
}

TEST_CASE("a source of one's own is asked for exactly what is wanted", "[entropy]") {
    struct counter {
        std::size_t calls = 0, bytes = 0;
        static bool fill(void* self, byte_span out) noexcept {
            auto& count = *static_cast<counter*>(self);
            ++count.calls;
            count.bytes += out.size();
            std::fill(out.begin(), out.end(), static_cast<std::byte>(count.calls));
            return true;
        }
    } count;
    const entropy source{&counter::fill, &count};
    masking_key key{};
    CHECK(source(key));
    CHECK(source(key));
    CHECK(key == masking_key{std::byte{2}, std::byte{2}, std::byte{2}, std::byte{2}});
    CHECK(count.calls == 2);
    CHECK(count.bytes == 8);
}

TEST_CASE("a source that fails says so", "[entropy][S43]") {
    const entropy source{[](void*, byte_span) noexcept { return false; }};
    masking_key key{};
    CHECK_FALSE(source(key));
}

TEST_CASE("two threads never draw the same bytes", "[entropy]") {
    constexpr std::size_t draws = 1'000;
    using nonce = std::array<std::byte, 16>;
    std::array<std::vector<nonce>, 2> of_thread;
    const auto draw = [](std::vector<nonce>& to) {
        to.resize(draws);
        for (nonce& n : to) static_cast<void>(system_entropy(nullptr, n));
    };
    std::thread first(draw, std::ref(of_thread[0])), second(draw, std::ref(of_thread[1]));
    first.join();
    second.join();
    std::set<nonce> all(of_thread[0].begin(), of_thread[0].end());
    all.insert(of_thread[1].begin(), of_thread[1].end());
    CHECK(all.size() == 2 * draws);
}

#if !defined(_WIN32)

TEST_CASE("after a fork parent, child and grandchild draw different bytes",
          "[entropy][6455:10.3][C79][S43]") {
    using nonce = std::array<std::byte, 16>;
    REQUIRE(prefetch_entropy());   // now there is a full pool for the child to inherit
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const auto tell = [&] {        // no assertions in a child
        nonce made{};
        const bool done =
            system_entropy(nullptr, made) && ::write(pipe_ends[1], made.data(), made.size()) == 16;
        return done ? 0 : 1;
    };

    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        int failed = tell();
        const pid_t grandchild = ::fork();
        if (grandchild == 0) ::_exit(tell());
        int status = 1;
        failed |= ::waitpid(grandchild, &status, 0) != grandchild || status != 0;
        ::_exit(failed);
    }
    int status = 1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);

    std::set<nonce> all{drawn<16>()};
    for (int i = 0; i < 2; ++i) {
        nonce told{};
        REQUIRE(::read(pipe_ends[0], told.data(), told.size()) == 16);
        all.insert(told);
    }
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    CHECK(all.size() == 3);
}

#endif

#if defined(__linux__)

// What the library asks of the system goes through this getrandom, which stands before the C library's: it counts, it
// remembers where the last bytes went, and it misbehaves on demand.
namespace {

struct {
    int         calls = 0;
    byte_span   last{};
    int         interrupted = 0;       // how many calls to interrupt
    std::size_t longest = 0;           // of a short answer; 0: answers are whole
    bool        broken = false;
} generator;

struct generator_on_loan {
    generator_on_loan() { generator = {}; }
    ~generator_on_loan() { generator = {}; }
};

void empty_the_pool() { static_cast<void>(drawn<512>()); }   // takes a whole one, leaves nothing

} // namespace

extern "C" ssize_t getrandom(void* to, std::size_t size, unsigned flags) {
    ++generator.calls;
    if (generator.interrupted > 0) {
        --generator.interrupted;
        errno = EINTR;
        return -1;
    }
    if (generator.broken) {
        errno = ENOSYS;
        return -1;
    }
    generator.last = {static_cast<std::byte*>(to), size};
    if (generator.longest != 0) size = std::min(size, generator.longest);
    return static_cast<ssize_t>(::syscall(SYS_getrandom, to, size, flags));
}

TEST_CASE("a full pool gives 128 masking keys without a system call, and the next one costs one",
          "[entropy]") {
    const generator_on_loan loan;
    REQUIRE(prefetch_entropy());
    generator.calls = 0;
    for (int i = 0; i < 128; ++i) static_cast<void>(drawn<4>());
    CHECK(generator.calls == 0);
    static_cast<void>(drawn<4>());
    CHECK(generator.calls == 1);
}

TEST_CASE("each thread draws from a pool of its own", "[entropy]") {
    const generator_on_loan loan;
    empty_the_pool();
    REQUIRE(prefetch_entropy());
    const std::byte* const here = generator.last.data();
    std::thread([] { static_cast<void>(prefetch_entropy()); }).join();
    CHECK(generator.last.data() != here);
    generator.calls = 0;
    static_cast<void>(drawn<512>());
    CHECK(generator.calls == 0);
}

TEST_CASE("prefetching fills a pool that is not full, and leaves a full one alone", "[entropy]") {
    const generator_on_loan loan;
    REQUIRE(prefetch_entropy());
    static_cast<void>(drawn<4>());
    generator.calls = 0;
    CHECK(prefetch_entropy());
    CHECK(generator.calls == 1);
    CHECK(prefetch_entropy());
    CHECK(generator.calls == 1);
    for (int i = 0; i < 128; ++i) static_cast<void>(drawn<4>());
    CHECK(generator.calls == 1);
}

TEST_CASE("a request larger than the pool goes to the system at once and leaves the pool as it is",
          "[entropy]") {
    const generator_on_loan loan;
    REQUIRE(prefetch_entropy());
    generator.calls = 0;
    std::array<std::byte, 513> large{};
    REQUIRE(system_entropy(nullptr, large));
    CHECK(generator.calls == 1);
    CHECK(generator.last.data() == large.data());
    static_cast<void>(drawn<512>());
    CHECK(generator.calls == 1);
}

TEST_CASE("bytes that were given out are wiped from the pool, and no others",
          "[entropy][6455:10.3]") {
    const generator_on_loan loan;
    empty_the_pool();
    REQUIRE(prefetch_entropy());
    const byte_span pool = generator.last;
    REQUIRE(pool.size() == 512);

    const auto before = bytes(pool);
    const auto key = drawn<16>();
    const auto after = bytes(pool);
    CHECK(std::search(before.begin(), before.end(), key.begin(), key.end()) != before.end());
    CHECK(std::search(after.begin(), after.end(), key.begin(), key.end()) == after.end());
    std::size_t changed = 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
        if (after[i] == before[i]) continue;
        ++changed;
        CHECK(after[i] == std::byte{0});
    }
    CHECK(changed <= 16);
    static_cast<void>(drawn<496>());
    CHECK(bytes(pool) == std::vector<std::byte>(512));
}

TEST_CASE("interrupted and short answers of the system are asked for again", "[entropy]") {
    const generator_on_loan loan;
    const std::size_t size = GENERATE(16u, 512u, 2'000u);
    empty_the_pool();
    generator.interrupted = 3;
    generator.longest = 100;
    generator.calls = 0;
    std::vector<std::byte> made(size);
    REQUIRE(system_entropy(nullptr, made));
    CHECK(generator.calls == 3 + (size <= 512 ? 6 : 20));
    CHECK(std::count(made.end() - 16, made.end(), std::byte{0}) < 16);
}

TEST_CASE("when the system has no entropy a draw fails, and no old bytes are given out",
          "[entropy][S43]") {
    const generator_on_loan loan;
    REQUIRE(prefetch_entropy());
    static_cast<void>(drawn<508>());   // one key is left
    generator.broken = true;
    masking_key key{};
    CHECK(system_entropy(nullptr, key));
    CHECK_FALSE(system_entropy(nullptr, key));
    CHECK_FALSE(prefetch_entropy());
    std::array<std::byte, 600> large{};
    CHECK_FALSE(system_entropy(nullptr, large));

    generator.broken = false;
    CHECK(system_entropy(nullptr, key));
}

TEST_CASE("a pool that could not be filled to its end is not used", "[entropy][S43]") {
    const generator_on_loan loan;
    REQUIRE(prefetch_entropy());
    static_cast<void>(drawn<500>());
    generator.broken = true;
    std::array<std::byte, 16> nonce{};
    CHECK_FALSE(system_entropy(nullptr, nonce));
    CHECK_FALSE(system_entropy(nullptr, byte_span(nonce).first(4)));
}

#endif
