// What the library adds to OpenSSL: a server that echoes WebSocket messages through tls.hpp, against a loop of SSL_read and
// SSL_write, over the same kind of loopback socket, with one protocol and one cipher suite. Both take turns; one client, which
// is bare OpenSSL itself, sends a message and waits for its echo. What counts is the median of the ratios within a turn.
// usage: echo [TURNS]; prints what was found, then one line a target. Status 1: a target is missed; 2: an echo is wrong.
#include <navette/navette.hpp>
#include <navette/tcp.hpp>
#include <navette/tls.hpp>

#include "support/certificates.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

using namespace navette;

namespace {

constexpr int messages_of_a_turn = 300;

// A client's connection: bare OpenSSL on a descriptor.
struct client {
    SSL_CTX*    context = SSL_CTX_new(TLS_client_method());
    SSL*        ssl     = nullptr;
    tcp::stream socket;

    client(std::uint16_t port, int version) : socket(*tcp::connect("127.0.0.1", port)) {
        SSL_CTX_set_min_proto_version(context, version);
        SSL_CTX_set_max_proto_version(context, version);
        ssl           = SSL_new(context);
        const int fd = socket.native_handle();
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
        SSL_set_fd(ssl, fd);
        if (SSL_connect(ssl) != 1) std::abort();
    }
    client(const client&) = delete;
    ~client() {
        SSL_free(ssl);
        SSL_CTX_free(context);
    }

    // Sends `message` and takes what comes back.
    void exchange(const std::string& message, std::string& back) {
        if (SSL_write(ssl, message.data(), static_cast<int>(message.size())) <= 0) std::abort();
        for (std::size_t have = 0; have < back.size();) {
            const int got = SSL_read(ssl, back.data() + have, static_cast<int>(back.size() - have));
            if (got <= 0) std::abort();
            have += static_cast<std::size_t>(got);
        }
    }
};

tls::context server_context(const certificates::issued& shown) {
    auto made = tls::context::server();
    if (!made || made->show(tls::pem::text(shown.chain), tls::pem::text(shown.key_text))) std::abort();
    return *std::move(made);
}

void serve_websocket(tcp::stream socket, const tls::context& context) {
    auto laid = tls::accept(std::move(socket), context);
    if (!laid) std::abort();
    auto ws = connection<role::server, tls::stream<tcp::stream>>::open(*std::move(laid), {});
    while (auto message = ws->read())
        if (ws->send(*message)) break;
}

void serve_openssl(tcp::stream socket, const tls::context& context) {
    const int fd = socket.native_handle();
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    SSL* const ssl = SSL_new(context.native_handle());
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) != 1) std::abort();
    static char place[32'768];
    for (int got; (got = SSL_read(ssl, place, sizeof place)) > 0;)
        if (SSL_write(ssl, place, got) <= 0) break;
    SSL_free(ssl);
}

double microseconds(client& from, const std::string& message, std::string& back) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < messages_of_a_turn; ++i) from.exchange(message, back);
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count() / messages_of_a_turn;
}

double median(std::vector<double> all) {
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
}

} // namespace

int main(int argc, char** argv) {
    const int                  turns = argc > 1 ? std::atoi(argv[1]) : 60;
    certificates::issuer       root;
    const certificates::issued shown   = root.issue();
    const tls::context         context = server_context(shown);
    bool                       is_good = true;
    for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION})
        for (const std::size_t size : {std::size_t{1'024}, std::size_t{16'384}}) {
            auto        listener = tcp::listen("127.0.0.1", 0);
            std::thread ours([&] { serve_websocket(*listener->accept(), context); });
            client      to_ours(listener->port(), version);
            std::thread bare([&] { serve_openssl(*listener->accept(), context); });
            client      to_bare(listener->port(), version);

            const std::string text(size, 'x');
            buffer            frame;
            frame_encoder<role::client> encoder;
            if (encoder.append({.op = opcode::binary}, as_bytes(text), frame) != errc{}) std::abort();
            const std::string message(as_text(frame.data()));
            std::string       back(size + 4, '\0'), bare_back(message.size(), '\0');
            to_ours.exchange(message, back);
            to_bare.exchange(message, bare_back);
            if (back.substr(4) != text || bare_back != message) return std::puts("an echo is not what was sent"), 2;

            std::vector<double> a, b, ratios;
            for (int turn = -1; turn < turns; ++turn) {
                const double alone = microseconds(to_bare, message, bare_back);
                const double added = microseconds(to_ours, message, back);
                if (turn < 0) continue;   // the first warms up
                a.push_back(alone);
                b.push_back(added);
                ratios.push_back(alone / added);
            }
            const double ratio = median(ratios);
            const bool   good  = ratio >= 0.9;
            is_good            = is_good && good;
            std::printf("%s  %s, %s, echo of %zu bytes: OpenSSL alone %.2f us, navette %.2f us; speed %.3f of it, at least 0.90\n",
                        good ? "met   " : "MISSED", SSL_get_version(to_ours.ssl), SSL_get_cipher_name(to_ours.ssl), size, median(a),
                        median(b), ratio);
            ::shutdown(to_ours.socket.native_handle(), SHUT_RDWR);
            ::shutdown(to_bare.socket.native_handle(), SHUT_RDWR);
            ours.join();
            bare.join();
        }
    return is_good ? 0 : 1;
}
