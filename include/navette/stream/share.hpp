// What several tasks of one strand own together, and how they take turns: a counted pointer, without atomic operations and
// without <memory>, and two guards that hold also when a coroutine is destroyed while it is suspended.
#pragma once

#include <navette/base/bytes.hpp>

#include <cstddef>

namespace navette {

/// Owns a `State` together with every copy: the last one deletes it. `State` has a member `std::size_t shares = 0`, and its
/// shares live on one strand.
template <class State>
class share {
    // Invariant: state_ counts this object, or is null.
    State* state_ = nullptr;

public:
    constexpr share() noexcept = default;

    /// Null makes an empty one. Of a state that has shares already, too.
    explicit share(State* state) noexcept : state_(state) {
        if (state_ != nullptr) ++state_->shares;
    }
    share(const share& other) noexcept : share(other.state_) {}
    share(share&& other) noexcept : state_(detail::take(other.state_)) {}
    share& operator=(share other) noexcept {
        detail::swap_values(state_, other.state_);
        return *this;
    }
    ~share() {
        if (state_ != nullptr && --state_->shares == 0) delete state_;
    }

    explicit operator bool() const noexcept { return state_ != nullptr; }
    State&   operator*() const noexcept { return *state_; }
    State*   operator->() const noexcept { return state_; }
};

/// One who waits for the signal of a `State`, which counts those who wait in `waiting`, and in `moves` how often it has called
/// `notify_all`: whoever was woken otherwise has been cancelled.
template <class State>
class waiting_for {
    State&      state_;
    std::size_t before_;

public:
    explicit waiting_for(State& state) noexcept : state_(state), before_(state.moves) { ++state.waiting; }
    waiting_for(const waiting_for&)            = delete;
    waiting_for& operator=(const waiting_for&) = delete;
    ~waiting_for() { --state_.waiting; }

    bool was_notified() const noexcept { return state_.moves != before_; }
};

/// A flag of a `State`, raised while this lives; then whoever waits is told.
template <class State>
class raised_flag {
    State& state_;
    bool&  flag_;

public:
    raised_flag(State& state, bool& flag) noexcept : state_(state), flag_(flag) { flag_ = true; }
    raised_flag(const raised_flag&)            = delete;
    raised_flag& operator=(const raised_flag&) = delete;
    ~raised_flag() {
        flag_ = false;
        state_.notify();
    }
};

} // namespace navette
