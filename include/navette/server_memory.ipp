// Where a loop's messages lie while they come and while they wait: small ones on the heap, large ones each in a region of
// the address space that is as large as a message may be. It takes memory only as far as it is written to, never moves, and
// goes back to the system whole, which a heap that has small things between large ones does not (mmap(2)).
#pragma once

#include <navette/base/buffer_pool.hpp>
#include <navette/server.hpp>

#include <cstddef>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <vector>

namespace navette::detail {

class server_memory {
    static constexpr std::size_t large       = 16 * 1024;
    static constexpr std::size_t most_mapped = sizeof(void*) < 8 ? 16 : 16'384;   // systems have a bound of 65,530
    static constexpr std::size_t header      = 64;
    static constexpr std::size_t kept_heap   = 1024 * 1024;
    static constexpr std::size_t kept_mapped = 32 * 1024 * 1024;

    // Invariant: each region is size_ bytes, of which the first hold how many have been written to. bytes_ is the sum of
    // that for those in idle_.
    buffer_pool             heap_{kept_heap};
    std::size_t             size_;
    std::size_t             mapped_ = 0, bytes_ = 0;
    std::vector<std::byte*> idle_{};

    static std::size_t& written(std::byte* region) noexcept {
        void* const place = region;
        return *std::launder(static_cast<std::size_t*>(place));
    }

    void unmap(std::byte* region) noexcept {
        ::munmap(region, size_);
        --mapped_;
    }

public:
    explicit server_memory(const limits& bounds) noexcept {
        constexpr std::uint64_t longest = std::uint64_t{64} << 20;   // longer messages lie on the heap
        size_ = header + static_cast<std::size_t>(lesser(bounds.max_message_size, longest));
    }
    server_memory(const server_memory&)            = delete;
    server_memory& operator=(const server_memory&) = delete;
    ~server_memory() {
        for (std::byte* const region : idle_) unmap(region);
    }

    void   reserve(std::size_t regions) { idle_.reserve(regions); }
    buffer take() noexcept { return heap_.take(); }

    buffer larger(std::size_t size) noexcept {
        if (size < large || size > size_ - header) return heap_.larger(size);
        std::byte* region = nullptr;
        if (!idle_.empty()) {
            region = idle_.back();
            idle_.pop_back();
            bytes_ -= written(region);
        } else {
            if (mapped_ == most_mapped) return heap_.larger(size);
            void* const place = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (place == MAP_FAILED) return heap_.larger(size);
            ++mapped_;
            region = static_cast<std::byte*>(place);
            new (place) std::size_t(header);
        }
        return buffer(byte_span(region + header, size_ - header));
    }

    void give(buffer returned) noexcept {
        if (!returned.is_fixed()) return heap_.give(std::move(returned));
        const std::size_t size = returned.size();
        returned.clear();
        std::byte* const region = returned.data().data() - header;
        std::size_t&     most   = written(region);
        if (most < header + size) most = header + size;
        if (most > kept_mapped - bytes_) return unmap(region);
        bytes_ += most;
        idle_.push_back(region);
    }

    void drop(buffer outgrown) noexcept {
        if (outgrown.is_fixed()) give(std::move(outgrown));
    }

    // Memory that is kept and not in use.
    std::size_t bytes_kept() const noexcept { return bytes_ + heap_.bytes_kept(); }

    // Gives half of that back to the system: after a few calls nothing is kept.
    void trim() noexcept {
        heap_.shrink(heap_.bytes_kept() / 2);
        for (std::size_t left = idle_.size() / 2; idle_.size() > left;) {
            bytes_ -= written(idle_.back());
            unmap(idle_.back());
            idle_.pop_back();
        }
    }
};

// Places for objects of one type, in chunks that go back to the system once nothing is in them, so that what many
// connections have at times does not stand between other things.
template <class T>
class server_slab {
    static constexpr std::size_t chunk_size = 64 * 1024;

    struct chunk {
        chunk*      before = nullptr;   // in the list of those that have a free place
        chunk*      behind = nullptr;
        void*       free   = nullptr;
        std::size_t used   = 0, begun = 0;
    };
    struct place {
        chunk* home;
        alignas(T) std::byte object[sizeof(T)];
    };
    static constexpr std::size_t first  = (sizeof(chunk) + alignof(place) - 1) / alignof(place) * alignof(place);
    static constexpr std::size_t places = (chunk_size - first) / sizeof(place);

    chunk* open_ = nullptr;   // the list

    void enlist(chunk& c) noexcept {
        c.before = nullptr;
        c.behind = open_;
        if (open_ != nullptr) open_->before = &c;
        open_ = &c;
    }
    void delist(chunk& c) noexcept {
        (c.before != nullptr ? c.before->behind : open_) = c.behind;
        if (c.behind != nullptr) c.behind->before = c.before;
    }

public:
    server_slab() noexcept = default;
    server_slab(const server_slab&)            = delete;
    server_slab& operator=(const server_slab&) = delete;
    ~server_slab() { trim(); }

    template <class... Args>
    T* make(Args&&... args) {
        if (open_ == nullptr) {
            void* const made = ::mmap(nullptr, chunk_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (made == MAP_FAILED) throw std::bad_alloc();
            enlist(*new (made) chunk);
        }
        chunk& in   = *open_;
        void*  here = in.free;
        if (here != nullptr) {
            std::memcpy(&in.free, here, sizeof in.free);
        } else {
            void* const begin = &in;
            here              = static_cast<std::byte*>(begin) + first + in.begun++ * sizeof(place);
        }
        if (++in.used == places) delist(in);
        auto* const made = new (here) place;
        made->home       = &in;
        return new (made->object) T(std::forward<Args>(args)...);
    }

    void destroy(T* object) noexcept {
        object->~T();
        void* const  bytes = object;
        void* const  here  = static_cast<std::byte*>(bytes) - offsetof(place, object);
        chunk* const in    = std::launder(static_cast<place*>(here))->home;
        if (in->used-- == places) enlist(*in);
        std::memcpy(here, &in->free, sizeof in->free);
        in->free = here;
    }

    // Gives chunks that nothing is in back to the system.
    void trim() noexcept {
        for (chunk* c = open_; c != nullptr;) {
            chunk* const next = c->behind;
            if (c->used == 0) {
                delist(*c);
                ::munmap(c, chunk_size);
            }
            c = next;
        }
    }
};

} // namespace navette::detail
