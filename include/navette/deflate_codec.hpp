// permessage-deflate's codec (RFC 7692, 6 and 7.2) over any compression library, and the extension that makes it: what is
// on the wire at the end of a message, and which connection holds which memory between messages.
#pragma once

#include <navette/deflate_backend.hpp>

#include <span>
#include <type_traits>
#include <utility>

namespace navette {

/// What has passed through all connections of an extension, for a log or a monitor.
struct deflate_counters {
    std::size_t sent                = 0;  ///< bytes of messages before they were compressed
    std::size_t sent_compressed     = 0;  ///< and after
    std::size_t received            = 0;  ///< bytes of messages after they were decompressed
    std::size_t received_compressed = 0;  ///< and before
    std::size_t memory              = 0;  ///< bytes in use now
    std::size_t without_takeover    = 0;  ///< connections that lost context takeover to `deflate_options::max_memory`
};

namespace detail {

struct no_whole {};

// What all connections of an extension share.
template <deflate_backend Backend>
struct deflate_shared {
    using compressor   = typename Backend::compressor;
    using decompressor = typename Backend::decompressor;
    using whole        = std::conditional_t<std::is_void_v<typename Backend::whole>, no_whole, typename Backend::whole>;
    static constexpr bool has_whole = !std::is_void_v<typename Backend::whole>;

    deflate_options           options;
    deflate_memory            memory{options.allocator};
    idle_coders<compressor>   compressors{memory, options.max_idle};
    idle_coders<decompressor> decompressors{memory, options.max_idle};
    idle_coders<whole>        wholes{memory, options.max_idle};
    std::atomic<std::size_t>  sent{0}, sent_compressed{0}, received{0}, received_compressed{0}, without_takeover{0};

    explicit deflate_shared(const deflate_options& o) noexcept : options(o) {}

    bool is_eager() const noexcept { return options.allocation == allocate::eagerly; }
    bool is_full() const noexcept { return memory.in_use() >= options.max_memory; }

    auto begin_compressor(std::uint8_t bits) noexcept {
        return [this, bits](compressor& c) noexcept { return c.begin(options, bits, memory); };
    }
    auto begin_decompressor(std::uint8_t bits) noexcept {
        return [this, bits](decompressor& d) noexcept { return d.begin(bits, is_eager(), memory); };
    }
    auto begin_whole() noexcept {
        return [this](whole& w) noexcept { return w.begin(options); };
    }
};

// The codec of one connection. What is borrowed serves one message and goes back; what is owned keeps its context.
template <deflate_backend Backend>
class deflate_codec {
    using shared            = deflate_shared<Backend>;
    using compressor_node   = typename idle_coders<typename shared::compressor>::node;
    using decompressor_node = typename idle_coders<typename shared::decompressor>::node;

    // Invariant: between messages a borrowed compressor_ or decompressor_ is null. history_ is what the peer may refer to
    // while decompressor_ is null.
    shared*            shared_;
    deflate_agreement  agreed_;
    compressor_node*   compressor_      = nullptr;
    decompressor_node* decompressor_    = nullptr;
    byte_span          window_{};
    byte_span          history_{};
    std::size_t        received_        = 0;      // of the message being received, as it came
    std::size_t        inflated_        = 0;
    std::uint32_t      final_blocks_    = 0;
    bool               owns_compressor_ = false;
    bool               borrows_always_  = false;
    bool               sending_         = false;  // a message has begun and not ended
    bool               receiving_       = false;
    bool               aligned_         = true;   // nothing came behind the last block

    // What a sender removes behind each message (7.2.1), and the receiver adds (7.2.2).
    static constexpr std::byte trailer[] = {std::byte{0}, std::byte{0}, std::byte{0xff}, std::byte{0xff}};
    static constexpr std::byte empty_block[] = {std::byte{0}};  // less the trailer (7.2.3.6)

    // Final blocks of one message: as many as it may have fragments by default. Who compresses each fragment apart sends
    // one with each; nobody has a use for more.
    static constexpr std::uint32_t max_final_blocks = 131'072;

public:
    deflate_codec(shared& s, const deflate_agreement& agreed) noexcept : shared_(&s), agreed_(agreed) {}
    deflate_codec(const deflate_codec&)            = delete;
    deflate_codec& operator=(const deflate_codec&) = delete;
    ~deflate_codec() {
        shared_->compressors.destroy(compressor_);
        shared_->decompressors.destroy(decompressor_);
        drop_history();
        drop_window();
    }

    static errc make(shared& s, const deflate_agreement& agreed, message_codec& made) noexcept {
        static constexpr message_codec_table table{
            [](void* self, const_byte_span in, bool last) noexcept { return at(self).inflate(in, last); },
            [](void* self) noexcept { at(self).end_message(); },
            [](void* self, const_byte_span in, bool last, buffer& out) noexcept {
                return at(self).deflate(in, last, out);
            },
            [](void* self) noexcept { at(self).reset_deflate(); },
            [](void* self) noexcept { at(self).release_idle(); },
            [](void* self) noexcept {
                deflate_memory& memory = at(self).shared_->memory;
                at(self).~deflate_codec();
                memory.give(self);
            },
        };
        void* const place = s.memory.take(sizeof(deflate_codec));
        if (place == nullptr) return errc::out_of_memory;
        auto* const   state = new (place) deflate_codec(s, agreed);
        message_codec codec(table, state);
        const errc    e = s.is_eager() ? state->take_all() : errc{};
        if (e == errc{}) made = std::move(codec);
        return e;
    }

    // A message of no connection.
    static errc deflate_once(shared& s, std::uint8_t window_bits, const_byte_span message, buffer& out) noexcept {
        deflate_codec codec(s, {.send_window_bits = window_bits, .send_no_context_takeover = true});
        codec.borrows_always_ = true;
        return codec.deflate(message, true, out);
    }

private:
    errc deflate(const_byte_span in, bool last, buffer& out) noexcept {
        const std::size_t start = out.size();
        if (!in.empty()) {
            if (const errc e = compress(in, last, out); e != errc{}) return e;
        } else if (last && !out.append(empty_block)) {
            return errc::out_of_memory;
        }
        sending_ = !last;
        if (last) end_sent_message();
        shared_->sent.fetch_add(in.size(), std::memory_order_relaxed);
        shared_->sent_compressed.fetch_add(out.size() - start, std::memory_order_relaxed);
        return {};
    }

    void reset_deflate() noexcept {
        sending_ = false;
        if (compressor_ == nullptr) return;
        if (owns_compressor_) compressor_->coder.reset();
        else return_compressor();
    }

    codec_step inflate(const_byte_span in, bool last) noexcept {
        if (const errc e = need_window(); e != errc{}) return {.error = e};
        if (const errc e = need_decompressor(); e != errc{}) return {.error = e};
        codec_step step;
        receiving_           = true;
        std::size_t produced = 0;
        const auto  fail     = [&](errc e) { return codec_step{.produced = window_.first(produced), .error = e}; };
        for (;;) {
            const const_byte_span  rest = in.subspan(step.consumed);
            const deflate_progress p    = decompressor_->coder.step(rest, window_.subspan(produced));
            step.consumed += p.consumed;
            produced += p.produced;
            if (p.error != errc{}) return fail(p.error);
            if (p.consumed != 0 || p.produced != 0) aligned_ = p.aligned;
            if (p.ended) {
                if (++final_blocks_ > max_final_blocks) return fail(errc::invalid_compressed_data);
                if (const errc e = decompressor_->coder.restart(); e != errc{}) return fail(e);
                aligned_ = true;
            } else if (produced == window_.size()) {
                break;
            } else if (step.consumed == in.size()) {
                if (last && !aligned_)
                    if (const errc e = take_trailer(window_.subspan(produced)); e != errc{}) return fail(e);
                step.done = true;
                break;
            } else if (p.consumed == 0 && p.produced == 0) {
                return fail(errc::invalid_compressed_data);
            }
        }
        step.produced = window_.first(produced);
        return noted(step);
    }

    void end_message() noexcept {
        shared_->received_compressed.fetch_add(std::exchange(received_, 0), std::memory_order_relaxed);
        shared_->received.fetch_add(std::exchange(inflated_, 0), std::memory_order_relaxed);
        receiving_    = false;
        aligned_      = true;
        final_blocks_ = 0;
        if (decompressor_ == nullptr) return;
        if (agreed_.receive_no_context_takeover) {
            decompressor_->coder.reset();
            if (!shared_->is_eager()) shared_->decompressors.give(std::exchange(decompressor_, nullptr));
        } else if (releases() && keep_history()) {
            decompressor_->coder.reset();
            shared_->decompressors.give(std::exchange(decompressor_, nullptr));
        }
    }

    void release_idle() noexcept {
        if (shared_->is_eager()) return;
        if (!sending_) shared_->compressors.destroy(std::exchange(compressor_, nullptr));
        if (receiving_) return;
        drop_window();
        if (decompressor_ != nullptr && keep_history())
            shared_->decompressors.destroy(std::exchange(decompressor_, nullptr));
    }

    // Takes at once all that a message could need.
    errc take_all() noexcept {
        if (const errc e = need_compressor(); e != errc{}) return e;
        if (const errc e = need_decompressor(); e != errc{}) return e;
        return need_window();
    }

    static deflate_codec& at(void* self) noexcept { return *static_cast<deflate_codec*>(self); }

    bool releases() const noexcept { return shared_->options.release_when_idle && !shared_->is_eager(); }

    // Without a context, or without memory for one more, a compressor is borrowed for one message.
    errc need_compressor() noexcept {
        if (compressor_ != nullptr) return {};
        const auto bits  = agreed_.send_window_bits;
        owns_compressor_ = !borrows_always_ &&
                           (shared_->is_eager() ||
                            (!agreed_.send_no_context_takeover && !releases() && !shared_->is_full()));
        compressor_ = owns_compressor_ ? shared_->compressors.make(bits, shared_->begin_compressor(bits))
                                       : shared_->compressors.take(bits, shared_->begin_compressor(bits));
        return compressor_ != nullptr ? errc{} : errc::out_of_memory;
    }

    void return_compressor() noexcept {
        compressor_->coder.reset();
        shared_->compressors.give(std::exchange(compressor_, nullptr));
    }

    void end_sent_message() noexcept {
        if (compressor_ == nullptr) return;
        if (!owns_compressor_) return_compressor();
        else if (agreed_.send_no_context_takeover) compressor_->coder.reset();
    }

    errc compress(const_byte_span in, bool last, buffer& out) noexcept {
        if (!sending_ && last && compress_whole(in, out)) return {};
        if (const errc e = need_compressor(); e != errc{}) return e;
        sending_ = true;
        for (;;) {
            // Half of what comes is more than what leaves, as a rule; a fixed buffer has what it has.
            constexpr std::size_t most = 16 * 1024;
            std::size_t           room = lesser(in.size() / 2 + 64, most);
            if (out.is_fixed()) room = lesser(room, out.capacity() - out.size());
            const byte_span place = out.grow(room);
            if (place.empty()) return errc::out_of_memory;
            const deflate_progress p = compressor_->coder.step(in, place);
            out.shrink(place.size() - p.produced);
            if (p.error != errc{}) return p.error;
            in = in.subspan(p.consumed);
            if (in.empty() && p.produced < place.size()) break;
        }
        if (last) out.shrink(sizeof trailer);                                        // 7.2.1
        return {};
    }

    // A block with BFINAL, and the header of an empty one behind it (7.2.3.4).
    bool compress_whole([[maybe_unused]] const_byte_span in, [[maybe_unused]] buffer& out) noexcept {
        if constexpr (shared::has_whole) {
            const bool fits = agreed_.send_window_bits == 15 || in.size() <= std::size_t{1} << agreed_.send_window_bits;
            if (!fits || !agreed_.send_no_context_takeover) return false;
            auto* const w = shared_->wholes.take(0, shared_->begin_whole());
            if (w == nullptr) return false;
            std::size_t room = w->coder.bound(in.size()) + sizeof empty_block;
            if (out.is_fixed()) room = lesser(room, out.capacity() - out.size());
            const byte_span   place = out.grow(room);
            const std::size_t size  = place.size() <= sizeof empty_block
                                          ? 0
                                          : w->coder.compress(in, place.first(place.size() - sizeof empty_block));
            shared_->wholes.give(w);
            if (size != 0) place[size] = empty_block[0];
            out.shrink(size == 0 ? place.size() : place.size() - size - sizeof empty_block);
            return size != 0;
        } else {
            return false;
        }
    }

    // What was removed behind the message is the rest of an empty block (7.2.2): it ends one, and says nothing. Of a
    // message that is cut short it would become a part.
    errc take_trailer(byte_span room) noexcept {
        const deflate_progress p = decompressor_->coder.step(trailer, room);
        if (p.error != errc{}) return p.error;
        if (p.produced != 0 || p.consumed != sizeof trailer || !(p.aligned || p.ended))
            return errc::invalid_compressed_data;
        return p.ended ? decompressor_->coder.restart() : errc{};
    }

    codec_step noted(const codec_step& step) noexcept {
        received_ += step.consumed;
        inflated_ += step.produced.size();
        return step;
    }

    errc need_decompressor() noexcept {
        if (decompressor_ != nullptr) return {};
        const auto bits  = agreed_.receive_window_bits;
        const auto begin = shared_->begin_decompressor(bits);
        const bool borrows = (agreed_.receive_no_context_takeover || releases()) && !shared_->is_eager();
        decompressor_ = borrows ? shared_->decompressors.take(bits, begin) : shared_->decompressors.make(bits, begin);
        if (decompressor_ == nullptr) return errc::out_of_memory;
        if (history_.empty()) return {};
        const errc e = decompressor_->coder.set_history(history_);
        drop_history();
        return e;
    }

    // False: there is no memory for it, and the decompressor must stay.
    bool keep_history() noexcept {
        const std::size_t size = decompressor_->coder.history_size();
        if (size == 0) return true;
        void* const place = shared_->memory.take(size);
        if (place == nullptr) return false;
        history_ = byte_span(static_cast<std::byte*>(place), size);
        decompressor_->coder.copy_history(history_);
        return true;
    }

    void drop_history() noexcept { shared_->memory.give(std::exchange(history_, byte_span{}).data()); }

    errc need_window() noexcept {
        if (!window_.empty()) return {};
        window_ = shared_->options.window;
        if (!window_.empty()) return {};
        const std::size_t size  = shared_->options.window_size;
        void* const       place = shared_->memory.take(size);
        if (place == nullptr) return errc::out_of_memory;
        window_ = byte_span(static_cast<std::byte*>(place), size);
        return {};
    }

    void drop_window() noexcept {
        const byte_span dropped = std::exchange(window_, byte_span{});
        if (shared_->options.window.empty()) shared_->memory.give(dropped.data());
    }
};

} // namespace detail

/// permessage-deflate, as the handshakes' options take it. Stays where it was made, and outlives the handshakes, the
/// connections and the prepared messages that use it. Connections of several threads may share one, unless
/// `deflate_options::window` is set.
///
///     permessage_deflate deflate({.level = 4});
///     server_options options{.origins = origin_policy::any(), .extensions = deflate.extensions()};
template <deflate_backend Backend>
class basic_permessage_deflate {
    using codec = detail::deflate_codec<Backend>;

    mutable detail::deflate_shared<Backend> shared_;
    extension_factory                       factory_;
    const extension_factory*                list_[1]{&factory_};

    static detail::deflate_shared<Backend>& at(const void* self) noexcept {
        return static_cast<const basic_permessage_deflate*>(self)->shared_;
    }

public:
    explicit basic_permessage_deflate(const deflate_options& options = {}) noexcept
        : shared_(options),
          factory_{.name         = permessage_deflate_name,
                   .rsv          = rsv_bits::rsv1,                                   // RFC 7692, 6
                   .self         = this,
                   .threshold    = options.threshold,
                   .eager        = options.allocation == allocate::eagerly,
                   .offer        = &offer,
                   .negotiate    = &negotiate,
                   .make         = &make,
                   .variant      = &variant,
                   .deflate_once = &deflate_once} {}
    basic_permessage_deflate(const basic_permessage_deflate&)            = delete;
    basic_permessage_deflate& operator=(const basic_permessage_deflate&) = delete;

    /// For server_options::extensions and client_options::extensions, alone or among others.
    std::span<const extension_factory* const> extensions() const noexcept { return list_; }
    const extension_factory&                  factory() const noexcept { return factory_; }

    const deflate_options& options() const noexcept { return shared_.options; }

    /// Messages whose end has come, of all connections; each number by itself if other threads are at work.
    deflate_counters counters() const noexcept {
        return {.sent                = shared_.sent.load(std::memory_order_relaxed),
                .sent_compressed     = shared_.sent_compressed.load(std::memory_order_relaxed),
                .received            = shared_.received.load(std::memory_order_relaxed),
                .received_compressed = shared_.received_compressed.load(std::memory_order_relaxed),
                .memory              = shared_.memory.in_use(),
                .without_takeover    = shared_.without_takeover.load(std::memory_order_relaxed)};
    }

    /// Gives back what waits for the next message of any connection.
    void release_idle() noexcept {
        shared_.compressors.clear();
        shared_.decompressors.clear();
        shared_.wholes.clear();
    }

private:
    // What is wanted of one more connection.
    static deflate_options wishes(const void* self) noexcept {
        deflate_options wanted = at(self).options;
        if (at(self).is_full()) wanted.send_no_context_takeover = wanted.receive_no_context_takeover = true;
        return wanted;
    }

    static errc offer(const void* self, buffer& out) noexcept { return append_deflate_offers(wishes(self), out); }

    static errc negotiate(const void* self, role r, const extension_offer& element, extension_parameters& parameters,
                          buffer& answer) noexcept {
        const bool        is_full = at(self).is_full();
        deflate_agreement agreed;
        // An answer is judged by what was always wanted: the memory may have run out since the offer.
        const deflate_options& wanted = r == role::server ? wishes(self) : at(self).options;
        if (const errc e = negotiate_deflate(wanted, r, element, agreed, answer); e != errc{}) return e;
        agreed.send_no_context_takeover = agreed.send_no_context_takeover || is_full;
        parameters                      = to_parameters(agreed);
        if (is_full) at(self).without_takeover.fetch_add(1, std::memory_order_relaxed);
        return {};
    }

    static errc make(const void* self, const extension_parameters& parameters, role, message_codec& made) noexcept {
        return codec::make(at(self), to_deflate_agreement(parameters), made);
    }

    static std::uint8_t variant(const extension_parameters& parameters, role) noexcept {
        return to_deflate_agreement(parameters).send_window_bits;
    }

    static errc deflate_once(const void* self, std::uint8_t window_bits, const_byte_span message,
                             buffer& out) noexcept {
        return codec::deflate_once(at(self), window_bits, message, out);
    }

};

} // namespace navette
