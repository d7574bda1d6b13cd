// Buffers kept for reuse, so that messages of the steady state cost no allocation and idle connections hold none.
// A pool serves one thread.
#pragma once

#include <navette/base/buffer.hpp>

#include <new>

namespace navette {

/// Keeps the memory of buffers that were given back, last in, first out, up to a number of bytes. One thread, or one
/// for each event loop; it outlives the sessions that use it.
class buffer_pool {
    // Invariant: kept_[0, count_) are alive, growing and empty; bytes_ is the sum of their capacities.
    buffer*     kept_     = nullptr;
    std::size_t count_    = 0;
    std::size_t room_     = 0;
    std::size_t bytes_    = 0;
    std::size_t max_bytes_;

public:
    static constexpr std::size_t default_max_bytes = std::size_t{64} << 20;

    /// Keeps at most `max_bytes` of memory; what is given beyond that goes back to the heap.
    explicit buffer_pool(std::size_t max_bytes = default_max_bytes) noexcept : max_bytes_(max_bytes) {}
    buffer_pool(const buffer_pool&) = delete;
    buffer_pool& operator=(const buffer_pool&) = delete;
    ~buffer_pool() {
        for (std::size_t i = 0; i < count_; ++i) kept_[i].~buffer();
        std::free(static_cast<void*>(kept_));
    }

    /// An empty buffer, with the memory of the one given last if there is any.
    buffer take() noexcept {
        if (count_ == 0) return {};
        buffer& last = kept_[--count_];
        buffer  taken;
        taken.swap(last);
        last.~buffer();
        bytes_ -= taken.capacity();
        return taken;
    }

    /// A buffer with room for `size` bytes, not taken from those that are kept; without, if there is no memory.
    buffer larger(std::size_t size) noexcept {
        buffer made;
        return made.reserve(size) ? std::move(made) : buffer();
    }

    /// Takes back a buffer that was outgrown: it goes to the heap.
    void drop(buffer) noexcept {}

    /// Takes back a buffer, whose bytes are dropped. A fixed one, or one without memory, is not kept.
    void give(buffer returned) noexcept {
        if (returned.is_fixed() || returned.capacity() == 0) return;
        if (returned.capacity() > max_bytes_ - bytes_ || !has_room()) return;
        returned.clear();
        bytes_ += returned.capacity();
        (new (kept_ + count_++) buffer)->swap(returned);
    }

    /// Gives memory that is not in use back to the heap, that which was given first, until at most `bytes` are kept.
    void shrink(std::size_t bytes) noexcept {
        std::size_t gone = 0;
        for (; gone < count_ && bytes_ > bytes; ++gone) bytes_ -= kept_[gone].capacity();
        if (gone == 0) return;
        for (std::size_t i = gone; i < count_; ++i) kept_[i - gone].swap(kept_[i]);
        for (std::size_t i = count_ - gone; i < count_; ++i) kept_[i].~buffer();
        count_ -= gone;
    }

    /// Bytes of memory kept and not in use.
    std::size_t bytes_kept() const noexcept { return bytes_; }

private:
    bool has_room() noexcept {
        if (count_ < room_) return true;
        const std::size_t wanted = room_ == 0 ? 16 : room_ * 2;
        auto* const       place  = static_cast<buffer*>(std::malloc(wanted * sizeof(buffer)));
        if (place == nullptr) return false;
        for (std::size_t i = 0; i < count_; ++i) {
            (new (place + i) buffer)->swap(kept_[i]);
            kept_[i].~buffer();
        }
        std::free(static_cast<void*>(kept_));
        kept_ = place;
        room_ = wanted;
        return true;
    }
};

} // namespace navette
