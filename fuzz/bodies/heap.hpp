// How often this thread asks the heap while a heap_count lives. Counted where the sanitizers are, which can be told to
// call a hook at each malloc; elsewhere it is 0. libFuzzer has threads of its own, which do not count.
#pragma once

#include <cstddef>

extern "C" __attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(
    void (*)(const volatile void*, std::size_t), void (*)(const volatile void*));

namespace fuzz {

class heap_count {
    static inline thread_local bool        counting_ = false;
    static inline thread_local std::size_t all_      = 0;
    static inline const bool               hooked_   = [] {
        if (__sanitizer_install_malloc_and_free_hooks == nullptr) return false;
        return __sanitizer_install_malloc_and_free_hooks(
                   [](const volatile void*, std::size_t) { all_ += counting_; }, [](const volatile void*) {}) != 0;
    }();

public:
    heap_count() {
        all_      = 0;
        counting_ = true;
    }
    heap_count(const heap_count&)            = delete;
    heap_count& operator=(const heap_count&) = delete;
    ~heap_count() { counting_ = false; }

    std::size_t allocations() const { return hooked_ ? all_ : 0; }
};

} // namespace fuzz
