// Where unpredictable bytes come from: masking keys (RFC 6455, 5.3 and 10.3) and the handshake's nonce (4.1) need them.
// By default from the operating system's own generator; there is no generator of ours.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/base/config.hpp>

namespace navette {

/// Fills `out` from the operating system's generator; the pointer is ignored. Up to 512 bytes are served from a pool of
/// that size, one for each thread, so that 128 masking keys cost one system call. What was given out is wiped from the
/// pool; after fork() the child begins one of its own (a bare clone system call goes unnoticed). Any thread may call.
/// False if the generator failed: `out` is then unspecified and must not be used.
[[nodiscard]] bool system_entropy(void*, byte_span out) noexcept;

/// Fills this thread's pool, so that its next 128 masking keys make no system call. False if the generator failed.
[[nodiscard]] bool prefetch_entropy() noexcept;

/// A source of unpredictable bytes: a function and what it works on. One of your own must be as unpredictable as the
/// operating system's, except in a test. It is called once for each masking key.
struct entropy {
    /// Fills all of `out`, or returns false; then the operation fails with errc::no_entropy.
    bool (*fill)(void* self, byte_span out) noexcept = &system_entropy;
    void* self = nullptr;   ///< Borrowed for as long as the source is used.

    [[nodiscard]] bool operator()(byte_span out) const noexcept { return fill(self, out); }
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/codec/entropy.ipp>
#endif
