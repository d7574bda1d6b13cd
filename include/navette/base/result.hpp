// A value or an error.
// In every language mode the same type: std::expected is younger than C++20.
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
    // Invariant: value_ holds a value exactly if error_ is empty.
    std::optional<T> value_;
    E                error_{};

public:
    using value_type = T;
    using error_type = E;

    constexpr basic_result(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_(std::move(value)) {}
    constexpr basic_result(E error) noexcept : error_(error == E{} ? E(errc::misuse) : error) {}
    constexpr basic_result(errc error) noexcept requires(!std::is_same_v<E, errc>)
        : error_(error == errc{} ? errc::misuse : error) {}

    constexpr explicit operator bool() const noexcept { return value_.has_value(); }
    constexpr bool     has_value() const noexcept { return value_.has_value(); }

    /// The value. Precondition: there is one.
    constexpr T&       operator*() & noexcept { return *value_; }
    constexpr const T& operator*() const& noexcept { return *value_; }
    constexpr T&&      operator*() && noexcept { return *std::move(value_); }
    constexpr T*       operator->() noexcept { return &*value_; }
    constexpr const T* operator->() const noexcept { return &*value_; }

    /// The error; empty if there is a value.
    constexpr E error() const noexcept { return error_; }
};

/// What floors 0 to 5 return.
template <class T>
using result = basic_result<T, errc>;

} // namespace navette
