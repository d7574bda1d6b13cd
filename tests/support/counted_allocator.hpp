// A deflate_allocator that counts, and refuses what it is told to refuse. One thread at a time.
#pragma once

#include <navette/extension/permessage_deflate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

struct counted_allocator {
    static constexpr std::size_t never = static_cast<std::size_t>(-1);

    std::size_t takes = 0, gives = 0, live = 0, peak = 0, wrong = 0;
    std::size_t refused_from = never;   // the take, from 0, that is refused, and all behind it

    navette::deflate_allocator hook() noexcept {
        return {.take = [](void* self, std::size_t bytes) noexcept { return at(self).take(bytes); },
                .give = [](void* self, void* memory, std::size_t bytes) noexcept { at(self).give(memory, bytes); },
                .self = this};
    }

private:
    static constexpr std::size_t prefix = 16;

    static counted_allocator& at(void* self) noexcept { return *static_cast<counted_allocator*>(self); }

    void* take(std::size_t bytes) noexcept {
        if (takes >= refused_from) return nullptr;
        ++takes;
        auto* const place = static_cast<std::byte*>(std::malloc(bytes + prefix));
        if (place == nullptr) return nullptr;
        *static_cast<std::size_t*>(static_cast<void*>(place)) = bytes;
        live += bytes;
        peak = std::max(peak, live);
        return place + prefix;
    }

    void give(void* memory, std::size_t bytes) noexcept {
        auto* const place = static_cast<std::byte*>(memory) - prefix;
        wrong += *static_cast<std::size_t*>(static_cast<void*>(place)) != bytes;
        ++gives;
        live -= bytes;
        std::free(place);
    }
};
