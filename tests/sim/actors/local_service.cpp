// SPDX-License-Identifier: MIT
#include "sim/actors/local_service.h"

#include <array>

#include "base/check.h"
#include "sim/world/host.h"
#include "sim/world/world.h"

namespace qmux::sim {

using io::Interest;
using io::IoStatus;

/// A connection, before and after the visitor's id has arrived.
class LocalService::Guest final : private io::TcpSocketEvents {
 public:
  Guest(LocalService& service, std::unique_ptr<io::TcpSocket> socket) : service_(service), socket_(std::move(socket)) {
    if (service_.speaks_first_) {
      const ConstBytes banner = as_bytes(kBanner);
      // A fresh connection's buffer takes that much; a reset is reported again when reading.
      (void)socket_->write({&banner, 1});
    }
    socket_->watch(Interest::read, this);
  }

 private:
  void socket_readable() override {
    const MutableBytes room = std::span(introduction_).subspan(introduced_bytes_);
    const io::IoResult result = socket_->read({&room, 1});
    switch (result.status) {
      case IoStatus::would_block:
        break;
      case IoStatus::reset:
        return leave();
      case IoStatus::end:
        socket_->shutdown_write();
        return leave();
      case IoStatus::done:
        introduced_bytes_ += result.count;
        if (introduced_bytes_ == introduction_.size()) return introduced();
        break;
    }
    socket_->watch(Interest::read, this);
  }
  void socket_writable() override {}
  void socket_reset() override { leave(); }

  void leave() {
    ++service_.ledger_.strangers_count;
    socket_.reset();
    ++service_.over_count_;
  }

  void introduced() {
    const auto id = read_be<std::uint64_t>(introduction_);
    if (id >= service_.ledger_.tunnels.size()) {
      ++service_.ledger_.impostors_count;
      return leave();
    }
    TunnelRecord& tunnel = service_.ledger_.tunnels[id];
    tunnel.served_by = service_.name_;
    ++tunnel.arrivals_count;
    service_.world_.record("{} serves visitor {}", service_.name_, id);
    const Content up(service_.ledger_.seed, id, Direction::up);
    const Content down(service_.ledger_.seed, id, Direction::down);
    socket_->watch(Interest::none, nullptr);
    talker_ = std::make_unique<Talker>(service_.world_, service_.loop_, std::move(socket_), false,
                                       Talker::Part{.name = fmt::format("service of {}", id),
                                                    .script = tunnel.service_script,
                                                    .sends = tunnel.service_script.echo ? up : down,
                                                    .expects = up},
                                       tunnel.service, [this] { ++service_.over_count_; });
  }

  LocalService& service_;
  std::unique_ptr<io::TcpSocket> socket_;
  std::unique_ptr<Talker> talker_;
  std::array<std::byte, 8> introduction_{};
  std::size_t introduced_bytes_ = 0;
};

LocalService::LocalService(World& world, SimLoop& loop, Ledger& ledger, const Address& address, bool speaks_first)
    : world_(world),
      loop_(loop),
      ledger_(ledger),
      address_(address),
      speaks_first_(speaks_first),
      name_("service at " + address.text()) {
  come_back();
}

LocalService::~LocalService() = default;

void LocalService::go_down(bool reset_open) {
  world_.record("{} goes down{}", name_, reset_open ? " with its connections" : "");
  listener_.reset();
  if (!reset_open) return;
  guests_.clear();
  over_count_ = 0;
}

void LocalService::come_back() {
  if (listener_) return;
  auto listener = loop_.listen_tcp(address_, false, *this);
  CHECK(listener.has_value());
  listener_ = std::move(*listener);
}

void LocalService::accepted(io::TcpHandle visitor, const Address&, const Address&) {
  guests_.push_back(std::make_unique<Guest>(*this, loop_.adopt_tcp(std::move(visitor))));
}

}  // namespace qmux::sim
