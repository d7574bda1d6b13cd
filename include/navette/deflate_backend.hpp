// What deflate_codec.hpp needs of a compression library, as concepts, the counted memory that it gives to it, and where
// its coders wait between messages. Knows none of the libraries: deflate.hpp brings zlib, libdeflate.hpp adds libdeflate.
#pragma once

#include <navette/extension/permessage_deflate.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace navette {

/// Counted memory from an application's allocator. Threads may share it.
class deflate_memory {
    // In front of each piece stands its size.
    static constexpr std::size_t prefix = alignof(std::max_align_t) < sizeof(std::size_t) ? sizeof(std::size_t)
                                                                                          : alignof(std::max_align_t);
    deflate_allocator        allocator_;
    std::atomic<std::size_t> in_use_{0};

public:
    explicit deflate_memory(const deflate_allocator& allocator) noexcept : allocator_(allocator) {}

    /// Memory aligned as malloc's; null: there is none.
    void* take(std::size_t bytes) noexcept {
        if (bytes > static_cast<std::size_t>(-1) - prefix) return nullptr;
        const std::size_t all   = bytes + prefix;
        void* const       place = allocator_.take == nullptr ? std::malloc(all) : allocator_.take(allocator_.self, all);
        if (place == nullptr) return nullptr;
        in_use_.fetch_add(all, std::memory_order_relaxed);
        new (place) std::size_t(all);
        return static_cast<std::byte*>(place) + prefix;
    }

    /// Gives back what take returned, or null.
    void give(void* memory) noexcept {
        if (memory == nullptr) return;
        void* const       place = static_cast<std::byte*>(memory) - prefix;
        const std::size_t all   = *static_cast<std::size_t*>(place);
        in_use_.fetch_sub(all, std::memory_order_relaxed);
        if (allocator_.give == nullptr) std::free(place);
        else allocator_.give(allocator_.self, place, all);
    }

    /// Bytes taken and not given back, those that count them included.
    std::size_t in_use() const noexcept { return in_use_.load(std::memory_order_relaxed); }
};

/// What one step of a backend has done.
struct deflate_progress {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool        ended    = false;  ///< decompressing: a block with BFINAL has ended; the rest of the input waits
    bool        aligned  = false;  ///< decompressing: stands behind a block and between two bytes
    errc        error{};           ///< `invalid_compressed_data`, `out_of_memory` or `misuse`
};

/// What compresses: begin once, then steps; it stays where it was made.
template <class C>
concept deflate_compressor = requires(C c, const deflate_options& options, std::uint8_t window_bits,
                                      deflate_memory& memory, const_byte_span in, byte_span out) {
    { c.begin(options, window_bits, memory) } noexcept -> std::same_as<errc>;  // no distance exceeds 2^window_bits
    // Takes all of `in` and flushes to a byte: 00 00 ff ff at the end. Complete once `out` is not filled.
    { c.step(in, out) } noexcept -> std::same_as<deflate_progress>;
    { c.reset() } noexcept;                                                    // forgets all that it has seen
};

/// What decompresses. `out` filled means that there may be more to come of what was consumed.
template <class D>
concept deflate_decompressor = requires(D d, std::uint8_t window_bits, deflate_memory& memory, const_byte_span in,
                                        byte_span out, bool whole) {
    { d.begin(window_bits, whole, memory) } noexcept -> std::same_as<errc>;    // whole: takes all its memory at once
    { d.step(in, out) } noexcept -> std::same_as<deflate_progress>;
    { d.restart() } noexcept -> std::same_as<errc>;                            // behind BFINAL; keeps the history
    { d.reset() } noexcept;                                                    // drops the history
    { d.history_size() } noexcept -> std::same_as<std::size_t>;                // of what later blocks may refer to
    { d.copy_history(out) } noexcept;
    { d.set_history(in) } noexcept -> std::same_as<errc>;
};

/// A compression library: a compressor, a decompressor, and maybe something that compresses whole messages faster.
/// `whole` is void, or has begin(options) -> errc, bound(size) -> bytes and compress(message, out) -> bytes, 0 if they do
/// not fit; what it makes ends with a block with BFINAL.
template <class B>
concept deflate_backend = deflate_compressor<typename B::compressor> &&
                          deflate_decompressor<typename B::decompressor> && requires { typename B::whole; };

namespace detail {

// Coders that wait for a message. Threads may share it; the lock is held for a few instructions.
template <class Coder>
class idle_coders {
public:
    struct node {
        Coder        coder{};
        node*        next        = nullptr;
        std::uint8_t window_bits = 0;
    };

private:
    deflate_memory&  memory_;
    std::size_t      most_;
    std::size_t      counts_[16]{};  // by window bits
    node*            first_[16]{};
    std::atomic_flag locked_ = ATOMIC_FLAG_INIT;

    struct guard {
        std::atomic_flag& flag;
        explicit guard(std::atomic_flag& f) noexcept : flag(f) {
            while (flag.test_and_set(std::memory_order_acquire)) {}
        }
        ~guard() { flag.clear(std::memory_order_release); }
    };

public:
    idle_coders(deflate_memory& memory, std::size_t most) noexcept : memory_(memory), most_(most) {}
    idle_coders(const idle_coders&)            = delete;
    idle_coders& operator=(const idle_coders&) = delete;
    ~idle_coders() { clear(); }

    // A new one, on which `begin` succeeds; null: no memory.
    template <class Begin>
    node* make(std::uint8_t window_bits, Begin begin) noexcept {
        void* const place = memory_.take(sizeof(node));
        if (place == nullptr) return nullptr;
        node* const made  = new (place) node;
        made->window_bits = window_bits;
        if (begin(made->coder) == errc{}) return made;
        destroy(made);
        return nullptr;
    }

    // One that waits, or a new one.
    template <class Begin>
    node* take(std::uint8_t window_bits, Begin begin) noexcept {
        {
            const guard lock(locked_);
            if (node* const taken = first_[window_bits]; taken != nullptr) {
                first_[window_bits] = taken->next;
                --counts_[window_bits];
                return taken;
            }
        }
        return make(window_bits, begin);
    }

    // Keeps one that has been reset, if there is a place for it.
    void give(node* returned) noexcept {
        const std::uint8_t bits = returned->window_bits;
        {
            const guard lock(locked_);
            if (counts_[bits] < most_) {
                ++counts_[bits];
                returned->next = first_[bits];
                first_[bits]   = returned;
                return;
            }
        }
        destroy(returned);
    }

    void destroy(node* n) noexcept {
        if (n == nullptr) return;
        n->~node();
        memory_.give(n);
    }

    void clear() noexcept {
        for (std::uint8_t bits = 0; bits < 16; ++bits) {
            node* all = nullptr;
            {
                const guard lock(locked_);
                all           = std::exchange(first_[bits], nullptr);
                counts_[bits] = 0;
            }
            while (all != nullptr) destroy(std::exchange(all, all->next));
        }
    }
};

} // namespace detail

} // namespace navette
