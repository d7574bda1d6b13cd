// What is asked of the heap while a heap_watch lives: counted, and refused if it is told to. The linker sends every call
// of malloc and free to tests/property/protocol_memory_test.cpp (--wrap, as tests/CMakeLists.txt says); operator new and
// delete go there too. Memory that was taken before is not counted when it is freed.
#pragma once

#include <cstddef>

struct heap_watch {
    static constexpr std::size_t never = static_cast<std::size_t>(-1);

    static inline std::size_t allocations = 0, allocated_bytes = 0, live = 0, peak = 0;
    static inline std::size_t refused_from = never, refused_to = never;
    static inline bool        watching     = false;

    /// Refuses the allocations [from, to).
    explicit heap_watch(std::size_t from = never, std::size_t to = never) {
        allocations = allocated_bytes = live = peak = 0;
        refused_from = from;
        refused_to   = to;
        watching     = true;
    }
    heap_watch(const heap_watch&)            = delete;
    heap_watch& operator=(const heap_watch&) = delete;
    ~heap_watch() { watching = false; }
};
