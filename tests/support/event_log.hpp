// What happens on other threads, for tests: a log of events that is waited for, and a count of faults. Every wait is
// bounded: a test that would hang fails.
#pragma once

#include <navette/base/instant.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

inline constexpr navette::duration patience = navette::seconds(20);

/// Counts what was not as it must be, on threads where Catch2 may not be asked.
class faults {
    std::atomic<int> count_{0};

public:
    void unless(bool right) {
        if (!right) ++count_;
    }
    int count() const { return count_; }
};

/// What happened, in order, as text.
class event_log {
    mutable std::mutex       guard_{};
    std::condition_variable  changed_{};
    std::vector<std::string> lines_{};

public:
    void add(std::string line) {
        const std::lock_guard held(guard_);
        lines_.push_back(std::move(line));
        changed_.notify_all();
    }

    /// Waits for that many lines; false: they did not come.
    bool wait_for(std::size_t count) {
        std::unique_lock held(guard_);
        return changed_.wait_for(held, std::chrono::nanoseconds(patience.nanoseconds), [&] { return lines_.size() >= count; });
    }

    /// Waits for a line that begins so.
    bool wait_for(std::string_view begin) {
        std::unique_lock held(guard_);
        return changed_.wait_for(held, std::chrono::nanoseconds(patience.nanoseconds), [&] {
            for (const std::string& line : lines_)
                if (line.starts_with(begin)) return true;
            return false;
        });
    }

    std::vector<std::string> lines() const {
        const std::lock_guard held(guard_);
        return lines_;
    }
    std::string text() const {
        std::string all;
        for (const std::string& line : lines()) all += (all.empty() ? "" : " | ") + line;
        return all;
    }
};
