// Plays a corpus through a target, with any compiler. A corpus is a text: one input a line, in hex.
//   TARGET CORPUS              plays each input; prints how many there were, and how many reached an accepted state
//   TARGET --unpack CORPUS DIR writes each input to a file of its own, for libFuzzer
//   TARGET --pack DIR CORPUS   the way back: sorted by size, none twice
#include "bodies/fuzz.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

std::vector<std::string> read_corpus(const std::string& path) {
    std::vector<std::string> inputs;
    std::ifstream            file(path);
    for (std::string line; std::getline(file, line);) {
        std::string bytes;
        for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
            const int high = digit(line[i]), low = digit(line[i + 1]);
            fuzz::must(high >= 0 && low >= 0, "a corpus is written in hex");
            bytes += static_cast<char>(high * 16 + low);
        }
        fuzz::must(line.size() % 2 == 0, "a corpus is written in hex, two digits a byte");
        inputs.push_back(std::move(bytes));
    }
    return inputs;
}

int play(const std::string& path) {
    std::size_t played = 0, accepted = 0;
    for (const std::string& bytes : read_corpus(path)) {
        ++played;
        accepted += fuzz_one(fuzz::input(navette::as_bytes(bytes)));
    }
    std::printf("%zu inputs, %zu accepted\n", played, accepted);
    return played != 0 && accepted != 0 ? 0 : 1;
}

void unpack(const std::string& path, const std::string& directory) {
    std::size_t n = 0;
    for (const std::string& bytes : read_corpus(path)) std::ofstream(directory + "/" + std::to_string(n++)) << bytes;
}

void pack(const std::string& directory, const std::string& path) {
    std::vector<std::string> inputs;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        std::ifstream file(entry.path());
        inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    std::sort(inputs.begin(), inputs.end(), [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
    std::ofstream file(path);
    for (const std::string& bytes : inputs) {
        for (const char c : bytes)
            file << "0123456789abcdef"[static_cast<unsigned char>(c) >> 4]
                 << "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
        file << '\n';
    }
}

} // namespace

int main(int argc, char* argv[]) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 1) return play(words[0]);
    if (words.size() == 3 && words[0] == "--unpack") return unpack(words[1], words[2]), 0;
    if (words.size() == 3 && words[0] == "--pack") return pack(words[1], words[2]), 0;
    std::fprintf(stderr, "usage: %s CORPUS | --unpack CORPUS DIR | --pack DIR CORPUS\n", argv[0]);
    return 2;
}
