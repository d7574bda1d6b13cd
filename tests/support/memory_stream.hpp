// Two streams back to back in memory, for two threads or, as long as nobody reads what is not there, for one. A read
// waits at most a few real seconds: a test that would hang fails.
#pragma once

#include <navette/stream/stream.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

class memory_stream {
    struct pipe {
        std::mutex              mutex;
        std::condition_variable changed;
        std::deque<std::byte>   bytes;
        std::size_t             capacity = static_cast<std::size_t>(-1);
        bool                    ended = false, gone = false;

        template <class Ready>
        bool wait(std::unique_lock<std::mutex>& held, Ready ready) {
            return changed.wait_for(held, std::chrono::seconds(20), ready);
        }
    };

    std::shared_ptr<pipe> in_, out_;

    memory_stream(std::shared_ptr<pipe> in, std::shared_ptr<pipe> out) : in_(std::move(in)), out_(std::move(out)) {}

public:
    // Each direction holds at most `capacity` bytes; then a write waits for the reader.
    static std::pair<memory_stream, memory_stream> make_pair(std::size_t capacity = static_cast<std::size_t>(-1)) {
        auto there = std::make_shared<pipe>(), back = std::make_shared<pipe>();
        there->capacity = back->capacity = capacity;
        return {memory_stream(back, there), memory_stream(there, back)};
    }

    memory_stream(memory_stream&&)            = default;
    memory_stream& operator=(memory_stream&&) = default;
    ~memory_stream() {
        if (in_ != nullptr) close();
    }

    navette::io_result<std::size_t> read_some(navette::byte_span in) {
        std::unique_lock held(in_->mutex);
        if (!in_->wait(held, [&] { return !in_->bytes.empty() || in_->ended || in_->gone; }))
            return std::make_error_code(std::errc::resource_deadlock_would_occur);
        if (in_->gone) return std::make_error_code(std::errc::bad_file_descriptor);
        const std::size_t n = std::min(in.size(), in_->bytes.size());
        std::copy_n(in_->bytes.begin(), n, in.begin());
        in_->bytes.erase(in_->bytes.begin(), in_->bytes.begin() + static_cast<std::ptrdiff_t>(n));
        in_->changed.notify_all();
        return n;
    }

    navette::io_result<std::size_t> write_some(navette::const_byte_span out) {
        std::unique_lock held(out_->mutex);
        if (!out_->wait(held, [&] { return out_->bytes.size() < out_->capacity || out_->gone; }))
            return std::make_error_code(std::errc::resource_deadlock_would_occur);
        if (out_->gone || out_->ended) return std::make_error_code(std::errc::broken_pipe);
        const std::size_t n = std::min(out.size(), out_->capacity - out_->bytes.size());
        out_->bytes.insert(out_->bytes.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n));
        out_->changed.notify_all();
        return n;
    }

    void shutdown_write() {
        const std::scoped_lock held(out_->mutex);
        out_->ended = true;
        out_->changed.notify_all();
    }

    // Bytes that were written stay readable at the other end; what comes here from now on is refused.
    void close() {
        shutdown_write();
        const std::scoped_lock held(in_->mutex);
        in_->gone = true;
        in_->changed.notify_all();
    }
};
