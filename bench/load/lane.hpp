// One connection of the run once it is open: what it owes the server, what it waits for since when, and what came back.
#pragma once

#include "channel.hpp"
#include "poller.hpp"
#include "replies.hpp"

#include <bit>
#include <optional>

namespace load {

/// How many messages were sent at what time, in order; grows as needed.
class sent_times {
public:
    struct entry {
        std::uint64_t at, count;
    };

private:
    std::vector<entry> ring_{4};
    std::size_t first_ = 0, size_ = 0;

    entry& nth(std::size_t i) { return ring_[(first_ + i) & (ring_.size() - 1)]; }

public:
    void push(std::uint64_t at, std::uint64_t count) {
        if (size_ != 0 && nth(size_ - 1).at == at) {
            nth(size_ - 1).count += count;
            return;
        }
        if (size_ == ring_.size()) {
            std::vector<entry> larger(2 * size_);
            for (std::size_t i = 0; i < size_; ++i) larger[i] = nth(i);
            ring_.swap(larger);
            first_ = 0;
        }
        nth(size_++) = {at, count};
    }

    /// Takes the oldest `count` off, in pieces of one time: `use(at, n)`. False: there are less.
    template <class Use>
    bool pop(std::uint64_t count, Use use) {
        while (count != 0) {
            if (size_ == 0) return false;
            entry& oldest         = nth(0);
            const std::uint64_t n = std::min(count, oldest.count);
            use(oldest.at, n);
            count -= n;
            oldest.count -= n;
            if (oldest.count != 0) continue;
            first_ = (first_ + 1) & (ring_.size() - 1);
            --size_;
        }
        return true;
    }

    /// The rest, as pop.
    template <class Use>
    void pop_all(Use use) {
        for (; size_ != 0; --size_) {
            use(nth(0).at, nth(0).count);
            first_ = (first_ + 1) & (ring_.size() - 1);
        }
    }
};

class lane {
    // Invariant: owed_ counts the messages that have not left, the one of which written_ bytes have included.
    channel channel_;
    replies replies_;
    const traffic* sends_;
    std::uint64_t owed_ = 0;
    std::size_t written_ = 0;
    bool writes_later_ = false; // the poller says when
    std::uint32_t index_;

public:
    sent_times waiting{};
    std::uint64_t unanswered = 0;

    lane(channel open, const traffic& sends, const options& asked, const agreement& agreed, std::uint32_t index)
        : channel_(std::move(open)), replies_(sends, asked, agreed), sends_(&sends), index_(index) {}

    int descriptor() const { return channel_.descriptor(); }
    [[noreturn]] void fail(const std::string& why) const { channel_.fail(why); }

    /// Owes `count` messages more, which count as sent at `at`.
    void owe(std::uint64_t count, std::uint64_t at) {
        waiting.push(at, count);
        unanswered += count;
        owed_ += count;
    }

    /// Writes what is owed, as much as the socket takes.
    void flush(poller& loop) {
        bool full = false;
        while (!full && (owed_ != 0 || !replies_.answer().empty())) {
            if (written_ == 0 && !replies_.answer().empty()) {
                const std::size_t n = channel_.write(replies_.answer().data());
                replies_.answer().consume(n);
                full = n == 0;
                if (!replies_.answer().empty()) continue;
            }
            if (owed_ == 0) break;
            const std::size_t size = static_cast<std::size_t>(
                std::min<std::uint64_t>(owed_ * sends_->message, sends_->block.size()) - written_);
            const std::size_t n = channel_.write({sends_->block.data() + written_, size});
            full                = n < size;
            owed_ -= (written_ + n) / sends_->message;
            written_ = (written_ + n) % sends_->message;
        }
        if (full != writes_later_) {
            writes_later_ = full;
            loop.change(descriptor(), full ? EPOLLIN | EPOLLOUT : EPOLLIN, index_);
        }
    }

    /// Reads once; how many replies that has completed.
    std::uint64_t receive(byte_span place) {
        const std::size_t n = channel_.read(place);
        if (n == 0) return 0;
        const std::uint64_t whole = replies_.take(place.first(n), [this](const std::string& why) { fail(why); });
        if (whole > unanswered) fail("the server sent more replies than it got messages");
        unanswered -= whole;
        return whole;
    }

    /// What comes without having been asked for, as of a subscriber; else as receive.
    std::uint64_t receive_unasked(byte_span place) {
        const std::size_t n = channel_.read(place);
        return n == 0 ? 0 : replies_.take(place.first(n), [this](const std::string& why) { fail(why); });
    }
};

} // namespace load
