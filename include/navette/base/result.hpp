// A value or an error: what functions return that can fail. In every language mode the same type, so that mixed programs
// have one ABI (std::expected is younger than C++20). Nothing throws.
#pragma once

#include <navette/base/errc.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace navette {

/// A `T` or the error `E` that stood in its way. A failure without an error cannot be made: an empty error becomes
/// `errc::misuse`.
template <class T, class E>
class [[nodiscard]] basic_result {
    // What is cheap to make empty is kept as it is: each std::optional costs whoever includes this as much as a header.
    static constexpr bool plain = std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>;

    // Invariant: value_ holds a value exactly if error_ is empty.
    std::conditional_t<plain, T, std::optional<T>> value_{};
    E                                              error_{};

    template <class Held>
    static constexpr auto& value_of(Held& held) noexcept {
        if constexpr (plain) return held;
        else return *held;
    }

public:
    using value_type = T;
    using error_type = E;

    constexpr basic_result(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_(std::move(value)) {}
    constexpr basic_result(E error) noexcept : error_(error == E{} ? E(errc::misuse) : error) {}
    constexpr basic_result(errc error) noexcept requires(!std::is_same_v<E, errc>)
        : error_(error == errc{} ? errc::misuse : error) {}

    constexpr explicit operator bool() const noexcept { return error_ == E{}; }
    constexpr bool     has_value() const noexcept { return error_ == E{}; }

    /// The value. Precondition: there is one.
    constexpr T&       operator*() & noexcept { return value_of(value_); }
    constexpr const T& operator*() const& noexcept { return value_of(value_); }
    constexpr T&&      operator*() && noexcept { return std::move(value_of(value_)); }
    constexpr T*       operator->() noexcept { return &value_of(value_); }
    constexpr const T* operator->() const noexcept { return &value_of(value_); }

    /// The error; empty if there is a value.
    constexpr E error() const noexcept { return error_; }
};

/// What floors 0 to 5 return.
template <class T>
using result = basic_result<T, errc>;

} // namespace navette
