// Topics of a server's loop: who gets what is published.
#pragma once

#include <navette/server_ending.ipp>

namespace navette::detail {

inline void server_loop::subscribe(server_connection& c, std::string_view topic) {
    if (!c.is_open()) return;
    auto& place = topics_[std::string(topic)];
    if (place == nullptr) {
        place       = std::make_unique<server_topic>();
        place->name = topic;
    }
    auto& mine = extra_of(c).topics;
    for (const server_subscription& each : mine)
        if (each.topic == place.get()) return;
    mine.push_back({place.get(), place->subscribers.size()});
    place->subscribers.push_back(&c);
    counted_.subscriptions.add(1);
}

inline void server_loop::unsubscribe(server_connection& c, std::string_view topic) {
    const auto found = topics_.find(std::string(topic));
    if (found == topics_.end() || c.extra_ == nullptr) return;
    auto& mine = c.extra_->topics;
    for (std::size_t i = 0; i < mine.size(); ++i) {
        if (mine[i].topic != found->second.get()) continue;
        remove_subscriber(mine[i]);
        mine[i] = mine.back();
        return mine.pop_back();
    }
}

inline void server_loop::unsubscribe_all(server_connection& c) noexcept {
    if (c.extra_ == nullptr) return;
    for (const server_subscription& each : c.extra_->topics) remove_subscriber(each);
    c.extra_->topics.clear();
}

// The last subscriber takes the place of the one that leaves.
inline void server_loop::remove_subscriber(const server_subscription& leaves) noexcept {
    auto& all  = leaves.topic->subscribers;
    auto& last = *all.back();
    for (server_subscription& each : last.extra_->topics)
        if (each.topic == leaves.topic) each.place = leaves.place;
    all[leaves.place] = &last;
    all.pop_back();
    counted_.subscriptions.take(1);
    if (all.empty()) topics_.erase(std::string(leaves.topic->name));
}

// Whether more waits for it than a published message may be added to. What only waits for the end of the turn does not
// count: it is written first. Calls nobody back, so that the subscribers stay who they are.
inline bool server_loop::is_behind(server_connection& c) {
    const std::size_t most = core_.settings.pause_mark;
    if (queued(c) > most && !has(c, stalled)) static_cast<void>(write_queue(c));
    return queued(c) > most;
}

inline void server_loop::publish(const std::string& topic, const std::shared_ptr<published_message>& message) {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return;
    std::uint64_t got = 0, missed = 0;
    for (server_connection* const c : found->second->subscribers) {
        if (has(*c, doomed)) continue;
        if (is_behind(*c)) {
            ++missed;
            ++c->extra_->missed;
            set(*c, pressed);   // who misses is told once there is room
            continue;
        }
        const auto bytes = message->wire(c->protocol_);
        if (!bytes) continue;
        // The first one of a turn leaves at once, without a queue; what else is published in it, in one write behind it.
        const bool is_first = std::exchange(c->published_, turn_) != turn_;
        if (is_first && c->io_ == nullptr && c != current_ && !has(*c, lost)) share_now(*c, message, *bytes);
        else share(*c, message, *bytes);
        ++got;
    }
    counted_.published.add(got);
    counted_.messages_out.add(got);
    counted_.missed.add(missed);
}

} // namespace navette::detail
