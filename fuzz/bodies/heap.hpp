// How often the heap was asked while a heap_count lived. Counted where the sanitizers are, which can be told to call a
// hook at each malloc; elsewhere it is 0.
#pragma once

#include <cstddef>

extern "C" __attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*,
                                                                                        std::size_t),
                                                                               void (*)(const volatile void*));

namespace fuzz {

class heap_count {
    static inline std::size_t all_ = 0;
    static inline const bool  hooked_ = [] {
        if (__sanitizer_install_malloc_and_free_hooks == nullptr) return false;
        return __sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t) { ++all_; },
                                                         [](const volatile void*) {}) != 0;
    }();
    std::size_t before_ = all_;

public:
    std::size_t allocations() const { return hooked_ ? all_ - before_ : 0; }
};

} // namespace fuzz
