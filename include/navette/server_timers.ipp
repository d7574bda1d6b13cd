// The deadlines of a loop's connections: a wheel of lists. Setting, moving and removing one takes the same few steps however
// many there are; a connection that hears from its peer touches nothing, and is looked at again when its place comes up.
#pragma once

#include <navette/server.hpp>

#include <array>
#include <bit>

namespace navette::detail {

// Whether `a` is not before `b`, on a clock of milliseconds that begins again after 49 days.
inline bool has_come(std::uint32_t a, std::uint32_t b) noexcept { return static_cast<std::int32_t>(a - b) >= 0; }

class timer_wheel {
    static constexpr std::uint32_t tick  = 8;      // milliseconds
    static constexpr std::uint32_t slots = 2'048;  // what is due later than all of them is looked at early
    static constexpr std::uint32_t ticks = 0xffff'ffff / tick + 1;

    // Invariant: all that is due in tick t stands in heads_[t % slots], and bit t % slots of used_ says whether that is any.
    // Ticks up to done_ are over.
    std::array<timed*, slots>             heads_{};
    std::array<std::uint64_t, slots / 64> used_{};
    std::uint32_t                         done_;
    std::size_t                           count_ = 0;

    static std::uint32_t slot_of(std::uint32_t at) noexcept { return at % slots; }

public:
    explicit timer_wheel(std::uint32_t now) noexcept : done_(now / tick) {}

    // `one` comes up at `due` at the latest: not before it, but for a place that it had already.
    void set(timed& one, std::uint32_t now, std::uint32_t due) noexcept {
        if (one.where != nullptr && has_come(due, one.due)) return;
        remove(one);
        one.due = due;
        std::uint32_t wait = has_come(due, now) ? (due - now + tick - 1) / tick : 0;
        if (wait > slots - 2) wait = slots - 2;
        const std::uint32_t slot = slot_of((now / tick + wait + 1) % ticks);
        if (wait == slots - 2) one.due = now + wait * tick;
        one.behind = heads_[slot];
        one.where  = &heads_[slot];
        if (one.behind != nullptr) one.behind->where = &one.behind;
        heads_[slot] = &one;
        used_[slot / 64] |= std::uint64_t{1} << slot % 64;
        ++count_;
    }

    void remove(timed& one) noexcept {
        if (one.where == nullptr) return;
        *one.where = one.behind;
        if (one.behind != nullptr) one.behind->where = one.where;
        one.where = nullptr;
        --count_;
    }

    // Takes out all that has come up, and calls `f` for each; which may set and remove any.
    template <class F>
    void expire(std::uint32_t now, F f) {
        for (std::uint32_t left = lesser(static_cast<std::uint32_t>((now / tick + ticks - done_) % ticks), slots); left > 0; --left) {
            done_                    = (now / tick + ticks - left + 1) % ticks;
            const std::uint32_t slot = slot_of(done_);
            if (heads_[slot] == nullptr) continue;
            used_[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
            timed* first = std::exchange(heads_[slot], nullptr);   // what `f` sets anew may come here again
            first->where = &first;
            while (timed* const one = first) {
                remove(*one);
                f(*one);
            }
        }
    }

    // Milliseconds until something may come up; -1: nothing will.
    int wait(std::uint32_t now) const noexcept {
        if (count_ == 0) return -1;
        for (std::uint32_t ahead = 1; ahead <= slots;) {
            const std::uint32_t slot = slot_of((done_ + ahead) % ticks);
            const std::uint64_t rest = used_[slot / 64] >> slot % 64;
            if (rest == 0) {
                ahead += 64 - slot % 64;
                continue;
            }
            ahead += static_cast<std::uint32_t>(std::countr_zero(rest));
            const std::uint32_t due = (done_ + ahead) % ticks * tick;
            return has_come(now, due) ? 0 : static_cast<int>(due - now);
        }
        return -1;
    }
};

} // namespace navette::detail
