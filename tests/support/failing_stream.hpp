// Any stream, of which the n-th call fails, or which reads and writes only so many bytes at a time.
#pragma once

#include <navette/stream/stream.hpp>

#include <algorithm>
#include <memory>

struct failing_plan {
    std::size_t fail_at = static_cast<std::size_t>(-1);   // counted from 1, reads and writes together
    std::size_t most    = static_cast<std::size_t>(-1);   // bytes of one call
    std::size_t calls   = 0;
    bool        failed  = false;
    bool        used_after_failure = false;               // only close may follow (see sync_stream)
};

template <navette::sync_stream S>
class failing_stream {
    S                             next_;
    std::shared_ptr<failing_plan> plan_;

    bool fails() {
        if (plan_->failed) plan_->used_after_failure = true;
        if (++plan_->calls < plan_->fail_at) return false;
        plan_->failed = true;
        return true;
    }
    static std::error_code failure() { return std::make_error_code(std::errc::io_error); }

public:
    failing_stream(S next, std::shared_ptr<failing_plan> plan) : next_(std::move(next)), plan_(std::move(plan)) {}

    navette::io_result<std::size_t> read_some(navette::byte_span in) {
        if (fails()) return failure();
        return next_.read_some(in.first(std::min(in.size(), plan_->most)));
    }
    navette::io_result<std::size_t> write_some(navette::const_byte_span out) {
        if (fails()) return failure();
        return next_.write_some(out.first(std::min(out.size(), plan_->most)));
    }
    void shutdown_write() { next_.shutdown_write(); }
    void close() { next_.close(); }

    navette::instant now()
        requires navette::deadline_stream<S>
    {
        return next_.now();
    }
    void read_expires_at(navette::instant when)
        requires navette::deadline_stream<S>
    {
        next_.read_expires_at(when);
    }
    void write_expires_at(navette::instant when)
        requires navette::deadline_stream<S>
    {
        next_.write_expires_at(when);
    }
};
