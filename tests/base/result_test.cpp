#include <navette/base/result.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

using namespace navette;

namespace {

// Like std::error_code: made from an errc, empty by default.
struct wide_error {
    int value = 0;
    constexpr wide_error() noexcept = default;
    constexpr wide_error(errc e) noexcept : value(1000 + static_cast<int>(e)) {}
    friend constexpr bool operator==(const wide_error&, const wide_error&) noexcept = default;
};

struct throwing_move {
    throwing_move() = default;
    throwing_move(throwing_move&&) noexcept(false) {}
};

} // namespace

static_assert(std::is_nothrow_constructible_v<result<int>, int>);
static_assert(std::is_nothrow_constructible_v<result<throwing_move>, errc>);
static_assert(!std::is_nothrow_constructible_v<result<throwing_move>, throwing_move>);
static_assert(!std::is_default_constructible_v<result<int>>);
static_assert(!std::is_convertible_v<result<int>, bool> && std::is_constructible_v<bool, result<int>>);
static_assert(!std::is_copy_constructible_v<result<std::unique_ptr<int>>>);

// Also in constant expressions.
static_assert(*result<int>(7) == 7 && result<int>(errc::closed).error() == errc::closed);

TEST_CASE("a result with a value has no error", "[result]") {
    const result<int> r = 7;
    CHECK(r);
    CHECK(r.has_value());
    CHECK(*r == 7);
    CHECK(r.error() == errc{});
}

TEST_CASE("a value of zero is a value", "[result]") {
    const result<int> r = 0;
    CHECK(r.has_value());
    CHECK(*r == 0);
}

TEST_CASE("a result with an error has no value", "[result]") {
    const result<int> r = errc::truncated;
    CHECK_FALSE(r);
    CHECK_FALSE(r.has_value());
    CHECK(r.error() == errc::truncated);
}

TEST_CASE("a failure with error 0 cannot be said: it becomes misuse", "[result]") {
    const result<int> r = errc{};
    CHECK_FALSE(r);
    CHECK(r.error() == errc::misuse);

    const basic_result<int, wide_error> from_wide = wide_error{};
    CHECK_FALSE(from_wide);
    CHECK(from_wide.error() == wide_error(errc::misuse));

    const basic_result<int, wide_error> from_errc = errc{};
    CHECK_FALSE(from_errc);
    CHECK(from_errc.error() == wide_error(errc::misuse));
}

TEST_CASE("an errc becomes the wider error of a higher floor", "[result]") {
    const basic_result<int, wide_error> r = errc::no_entropy;
    CHECK_FALSE(r);
    CHECK(r.error() == wide_error(errc::no_entropy));
    CHECK((basic_result<int, wide_error>(3).error() == wide_error{}));
}

TEST_CASE("a value that can only be moved goes in and comes out", "[result]") {
    result<std::unique_ptr<int>> r = std::make_unique<int>(5);
    REQUIRE(r);
    CHECK(**r == 5);
    result<std::unique_ptr<int>> moved = std::move(r);
    REQUIRE(moved);
    const std::unique_ptr<int> out = *std::move(moved);
    CHECK(*out == 5);
}

TEST_CASE("the value is reached through * and ->, and can be changed", "[result]") {
    result<std::string> r = std::string("weft");
    *r += "!";
    CHECK(r->size() == 5);
    r->clear();
    CHECK(*std::as_const(r) == "");
    CHECK(std::as_const(r)->empty());
}
