// SPDX-License-Identifier: MIT
//
// Which connection a destination connection ID leads to. The IDs of first packets are the clients' to choose, so the hash
// is keyed: no peer can make many IDs collide.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <unordered_map>

#include "base/bytes.h"
#include "base/random.h"

namespace qmux::quic {

class Connection;

/// The values outlive their entries.
template <typename Value>
class IdTable {
 public:
  explicit IdTable(Random& random) : values_(64, Hash{random.next_u64() | 1U, random.next_u64() | 1U}) {}

  void insert(const ngtcp2_cid& id, Value& value) { values_.insert_or_assign(key(id.data, id.datalen), &value); }
  void erase(const ngtcp2_cid& id) { values_.erase(key(id.data, id.datalen)); }
  [[nodiscard]] Value* find(const std::uint8_t* id, std::size_t length) const {
    const auto found = values_.find(key(id, length));
    return found == values_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

 private:
  /// The ID, zero-padded, with its length in the last byte.
  using Key = std::array<std::uint64_t, 3>;
  __extension__ using Product = unsigned __int128;
  static_assert(NGTCP2_MAX_CIDLEN < sizeof(Key));
  struct Hash {
    std::uint64_t first;
    std::uint64_t second;
    std::size_t operator()(const Key& k) const noexcept {
      // Multiply-fold with secret factors, once per word.
      std::uint64_t h = second;
      for (const std::uint64_t word : k) {
        const auto product = static_cast<Product>(h ^ word ^ first) * (second ^ 0x9e3779b97f4a7c15U);
        h = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
      }
      return h;
    }
  };
  static Key key(const std::uint8_t* id, std::size_t length) noexcept {
    Key k{};
    std::memcpy(k.data(), id, length);
    reinterpret_cast<std::uint8_t*>(k.data())[sizeof(Key) - 1] = static_cast<std::uint8_t>(length);
    return k;
  }

  std::unordered_map<Key, Value*, Hash> values_;
};

using ConnectionTable = IdTable<Connection>;

}  // namespace qmux::quic
