// SPDX-License-Identifier: MIT
//
// What earlier connections to a server's addresses are good for at the next one: the address validation token (RFC 9000 section
// 8.1.3), and the round-trip time, so that a lost first packet is repeated as soon as the path allows (RFC 9002 section 6.2.2).
//
// Owned by a link; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "tunnel/limits.h"

namespace qmux::tunnel {

struct KnownAddress {
  Address address;
  std::vector<std::byte> token{};  ///< may be empty
  std::optional<Duration> rtt{};
};

class KnownAddresses {
 public:
  /// An empty token and no round-trip time leave those of before.
  void learn(const Address& address, const std::vector<std::byte>& token, std::optional<Duration> rtt) {
    KnownAddress known = find(address);
    if (!token.empty()) known.token = token;
    if (rtt) known.rtt = rtt;
    std::erase_if(known_, [&](const KnownAddress& each) { return each.address == address; });
    if (known_.size() == limits::kAddressesPerNameMax) known_.erase(known_.begin());
    known_.push_back(std::move(known));
  }
  /// Of an unknown address: nothing but the address.
  [[nodiscard]] KnownAddress find(const Address& address) const {
    const auto found = std::ranges::find(known_, address, &KnownAddress::address);
    return found != known_.end() ? *found : KnownAddress{.address = address};
  }

 private:
  std::vector<KnownAddress> known_;  ///< the one learnt of last is the last
};

}  // namespace qmux::tunnel
