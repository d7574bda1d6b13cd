// The bodies of entropy.hpp: the one place that asks the operating system for entropy.
#pragma once

#include <navette/codec/entropy.hpp>

#include <array>
#include <cstddef>
#include <cstring>

#if defined(_WIN32)
// As <bcrypt.h> has it, without <windows.h> in front of it.
extern "C" long __stdcall BCryptGenRandom(void*, unsigned char*, unsigned long, unsigned long);
#  if defined(_MSC_VER)
#    pragma comment(lib, "bcrypt")
#  endif
#else
#  include <errno.h>
#  include <pthread.h>
#  if defined(__linux__)
#    include <sys/random.h>
#  elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || \
      defined(__OpenBSD__) || defined(__DragonFly__)
#    include <stdlib.h>
#    define NAVETTE_HAS_ARC4RANDOM
#  else
#    include <unistd.h>
#  endif
#endif

namespace navette {

namespace detail {

// Fills `out` without a pool.
NAVETTE_INLINE bool ask_system(byte_span out) noexcept {
#if defined(_WIN32)
    constexpr std::size_t largest = 1u << 30;           // lengths are 32 bits wide there
    constexpr unsigned long system_preferred = 2;       // BCRYPT_USE_SYSTEM_PREFERRED_RNG
    while (!out.empty()) {
        const std::size_t n = out.size() < largest ? out.size() : largest;
        auto* const p = static_cast<unsigned char*>(static_cast<void*>(out.data()));
        const auto length = static_cast<unsigned long>(n);
        if (::BCryptGenRandom(nullptr, p, length, system_preferred) < 0) return false;
        out = out.subspan(n);
    }
    return true;
#elif defined(__linux__)
    while (!out.empty()) {
        const auto n = ::getrandom(out.data(), out.size(), 0);
        if (n < 0 && errno == EINTR) continue;   // a signal can also cut a long answer short
        if (n <= 0) return false;
        out = out.subspan(static_cast<std::size_t>(n));
    }
    return true;
#elif defined(NAVETTE_HAS_ARC4RANDOM)
    ::arc4random_buf(out.data(), out.size());   // cannot fail
    return true;
#else
    while (!out.empty()) {
        const std::size_t n = out.size() < 256 ? out.size() : 256;   // POSIX.1-2024: GETENTROPY_MAX
        if (::getentropy(out.data(), n) != 0) return false;
        out = out.subspan(n);
    }
    return true;
#endif
}

// One for each thread. A plain counter tells pools of before a fork from pools of after it: it changes only in a child,
// before fork returns there, while that child has one thread.
struct entropy_pool {
    std::array<std::byte, 512> bytes{};
    std::size_t                unused = 0;   // the first bytes; the others are zero
    unsigned                   forks = 0;    // the value of fork_count when it was filled
};

#if defined(_WIN32)
inline constexpr unsigned fork_count = 0;
NAVETTE_INLINE bool watch_forks() noexcept { return true; }
#else
inline unsigned fork_count = 0;
NAVETTE_INLINE bool watch_forks() noexcept {
    static const bool watched = ::pthread_atfork(nullptr, nullptr, +[] { ++fork_count; }) == 0;
    return watched;
}
#endif

NAVETTE_INLINE entropy_pool& this_threads_pool() noexcept {
    thread_local entropy_pool pool;
    if (pool.forks != fork_count) pool.unused = 0;   // the parent gives these bytes out, too
    return pool;
}

NAVETTE_INLINE bool refill(entropy_pool& pool) noexcept {
    pool.unused = 0;
    if (!watch_forks() || !ask_system(pool.bytes)) return false;
    pool.unused = pool.bytes.size();
    pool.forks = fork_count;
    return true;
}

} // namespace detail

NAVETTE_INLINE bool system_entropy(void*, byte_span out) noexcept {
    if (out.empty()) return true;
    detail::entropy_pool& pool = detail::this_threads_pool();
    if (out.size() > pool.bytes.size()) return detail::ask_system(out);
    if (out.size() > pool.unused && !detail::refill(pool)) return false;
    pool.unused -= out.size();
    std::byte* const taken = pool.bytes.data() + pool.unused;
    std::memcpy(out.data(), taken, out.size());
    std::memset(taken, 0, out.size());
    return true;
}

NAVETTE_INLINE bool prefetch_entropy() noexcept {
    detail::entropy_pool& pool = detail::this_threads_pool();
    return pool.unused == pool.bytes.size() || detail::refill(pool);
}

} // namespace navette
