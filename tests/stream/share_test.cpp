#include <navette/stream/share.hpp>

#include "support/catch.hpp"

#include <optional>

using navette::share;

namespace {

struct counted {
    std::size_t shares = 0, waiting = 0, moves = 0;
    int*        deleted;
    int         notified = 0;
    bool        flag     = false;

    explicit counted(int* d) : deleted(d) {}
    ~counted() { ++*deleted; }
    void notify() {
        ++moves;
        ++notified;
    }
};

} // namespace

TEST_CASE("what is shared is deleted with the last share", "[share]") {
    int            deleted = 0;
    share<counted> first(new counted(&deleted));
    {
        share<counted> copy = first, moved = std::move(copy);
        CHECK_FALSE(copy);
        CHECK(first->shares == 2);
        copy  = moved;
        copy  = share<counted>(&*first);   // from within the state
        first = {};
        CHECK(deleted == 0);
        CHECK(copy->shares == 2);
    }
    CHECK(deleted == 1);
}

TEST_CASE("assigning a share to itself keeps it", "[share]") {
    int            deleted = 0;
    share<counted> one(new counted(&deleted));
    const auto&    same = one;
    one                 = same;
    CHECK(deleted == 0);
    CHECK(one->shares == 1);
}

TEST_CASE("an empty share owns nothing", "[share]") {
    share<counted> none(nullptr), moved(std::move(none));
    CHECK_FALSE(moved);
}

TEST_CASE("one who waits is counted, and knows whether it was notified", "[share]") {
    int     deleted = 0;
    counted state(&deleted);
    {
        const navette::waiting_for<counted> here(state);
        CHECK(state.waiting == 1);
        CHECK_FALSE(here.was_notified());
        state.notify();
        CHECK(here.was_notified());
    }
    CHECK(state.waiting == 0);
}

TEST_CASE("a raised flag is lowered with its holder, and whoever waits is told", "[share]") {
    int     deleted = 0;
    counted state(&deleted);
    std::optional<navette::raised_flag<counted>> held;
    held.emplace(state, state.flag);
    CHECK(state.flag);
    CHECK(state.notified == 0);
    held.reset();
    CHECK_FALSE(state.flag);
    CHECK(state.notified == 1);
}
